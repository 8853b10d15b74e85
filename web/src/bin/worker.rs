//! The worker's program: the world and its clock.

fn main() {
    kubarium_web::worker::run();
}
