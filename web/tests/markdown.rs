//! Hostile lesson texts, drawn into a real document: what is in it afterwards is text.
#![cfg(target_arch = "wasm32")]

use gloo::utils::document;
use kubarium_web::app::Act;
use kubarium_web::markdown::view::{Prose, ProseProps};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Element;
use yew::prelude::*;

wasm_bindgen_test_configure!(run_in_browser);

#[derive(PartialEq, Properties)]
struct HostProps {
    text: AttrValue,
}

#[component]
fn Host(props: &HostProps) -> Html {
    let act = Callback::from(|_: Act| ());
    html! { <Prose ..ProseProps { text: props.text.clone(), small: false, act } /> }
}

/// The element a text is drawn into.
async fn draw(text: &str) -> Element {
    let root = document()
        .create_element("div")
        .expect("a document makes elements");
    document()
        .body()
        .expect("a page has a body")
        .append_child(&root)
        .expect("it takes children");
    let props = HostProps {
        text: AttrValue::from(text.to_owned()),
    };
    yew::Renderer::<Host>::with_root_and_props(root.clone(), props).render();
    gloo::timers::future::TimeoutFuture::new(0).await;
    root
}

fn count(root: &Element, selector: &str) -> u32 {
    root.query_selector_all(selector)
        .expect("the selector is valid")
        .length()
}

#[wasm_bindgen_test]
async fn markup_in_a_text_stays_text() {
    let attacks = [
        "<script>window.hacked = true</script>",
        "<img src=x onerror='window.hacked = true'>",
        "text <b onclick=alert(1)>bold</b> text",
        "<iframe src='javascript:alert(1)'></iframe>",
        "<svg><script>alert(1)</script></svg>",
        "<style>body { display: none }</style>",
        "`<script>` and **<script>alert(1)</script>**",
        "```html\n<script>alert(1)</script>\n```",
        "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
        "<!-- --><script>alert(1)</script>",
        "<form action=//evil.example><input name=q></form>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ];
    for attack in attacks {
        let root = draw(attack).await;
        let bad =
            "script, style, iframe, img, svg:not(.icon), form, input, object, [onclick], [onerror]";
        assert_eq!(count(&root, bad), 0, "{attack}: {}", root.inner_html());
        assert!(
            !root.text_content().unwrap_or_default().is_empty(),
            "{attack}: the text is shown"
        );
    }
    let hacked = js_sys::Reflect::get(&gloo::utils::window(), &"hacked".into());
    assert!(hacked.expect("window is an object").is_undefined());
}

#[wasm_bindgen_test]
async fn a_link_is_a_web_address_or_none() {
    let root = draw(
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](//evil.example) [d](/path) \
         [e](https://kubernetes.io/docs/) <javascript:alert(1)> ![f](https://evil.example/x.png)",
    )
    .await;
    assert_eq!(count(&root, "a"), 1, "{}", root.inner_html());
    let link = root
        .query_selector("a")
        .expect("the selector is valid")
        .expect("there is one");
    assert_eq!(
        link.get_attribute("href").as_deref(),
        Some("https://kubernetes.io/docs/")
    );
    assert_eq!(
        link.get_attribute("rel").as_deref(),
        Some("noopener noreferrer")
    );
    assert_eq!(link.get_attribute("target").as_deref(), Some("_blank"));
}

#[wasm_bindgen_test]
async fn code_has_its_buttons() {
    let root = draw("```sh\n$ kubectl get pods\n```\n\n```yaml\nkind: Pod\n```").await;
    assert_eq!(count(&root, ".code"), 2);
    assert_eq!(count(&root, ".code .type"), 1);
    assert_eq!(count(&root, ".code .acts button"), 3);
}
