//! The page's program: draws what the worker tells.

fn main() {
    kubarium_web::app::run();
}
