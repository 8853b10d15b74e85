//! The sign of Kubarium: a small world under glass. Once as a mark, once as a picture for home.

use yew::prelude::*;

/// The mark in the bar.
pub fn mark() -> Html {
    html! {
        <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"
            stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">
            <path d="M5 20V10.5a7 7 0 0 1 14 0V20" />
            <path d="M2.5 20h19" />
            <path d="M12 3.5V2" />
            <rect x="7.8" y="15.2" width="3.3" height="3.3" rx=".8" fill="currentColor" stroke="none" />
            <rect x="12.9" y="15.2" width="3.3" height="3.3" rx=".8" fill="currentColor" stroke="none" />
            <rect x="10.35" y="9.7" width="3.3" height="3.3" rx=".8" />
        </svg>
    }
}

/// The picture on the home page: three machines under a bell of glass, a pod on its way to one.
pub fn scene() -> Html {
    html! {
        <svg class="emblem" viewBox="0 0 208 168" aria-hidden="true" fill="none"
            stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">
            <path d="M20 152V86a84 74 0 0 1 168 0v66" stroke="var(--edge)" />
            <path d="M98 12a6 6 0 1 1 12 0" stroke="var(--edge)" />
            <path d="M31 84a73 63 0 0 1 26-42" stroke="var(--line-strong)" />
            <path d="M6 152h196M12 159h184" />
            <g fill="var(--surface)">
                <rect x="36" y="96" width="40" height="56" rx="4" />
                <rect x="84" y="96" width="40" height="56" rx="4" />
                <rect x="132" y="96" width="40" height="56" rx="4" />
            </g>
            <path d="M36 108h40M84 108h40M132 108h40" stroke="var(--line-strong)" />
            <g stroke="var(--accent)" fill="var(--accent-soft)">
                <rect x="42" y="114" width="12" height="12" rx="3" />
                <rect x="58" y="114" width="12" height="12" rx="3" />
                <rect x="42" y="132" width="12" height="12" rx="3" />
                <rect x="58" y="132" width="12" height="12" rx="3" />
            </g>
            <g stroke="var(--ok)" fill="var(--ok-soft)">
                <rect x="90" y="132" width="12" height="12" rx="3" />
                <rect x="106" y="132" width="12" height="12" rx="3" />
                <rect x="138" y="132" width="12" height="12" rx="3" />
            </g>
            <rect x="154" y="132" width="12" height="12" rx="3" stroke="var(--edge)"
                stroke-dasharray="3 3" />
            <path d="M70 66c28-24 74-14 88 54" stroke="var(--wait)" stroke-dasharray="1.5 5" />
            <rect x="132" y="60" width="13" height="13" rx="3" stroke="var(--wait)"
                fill="var(--wait-soft)" transform="rotate(12 138 66)" />
        </svg>
    }
}
