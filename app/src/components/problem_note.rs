//! Why something was refused, shown beside its field.

use crate::components::Boxed;
use crate::signal::BoxedSignal;
use client::reconnect::Link;
use leptos::prelude::*;

use super::{effect, maybe};
use crate::client::live::Live;
use crate::problem::{OFFLINE, UNREACHABLE};

/// The sentence, unless it is empty. One about the network goes away when the network is back.
#[component]
pub fn ProblemNote(
    /// The sentence.
    problem: BoxedSignal<String>,
    /// A link after the sentence.
    #[prop(optional, into)]
    link: Option<AnyView>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let back = move || {
        let passes = |problem: &String| [OFFLINE, UNREACHABLE].contains(&problem.as_str());
        if problem.try_with_untracked(passes) == Some(true) {
            problem.set(String::new());
        }
    };
    effect(move || {
        if live.link.get() == Link::Live {
            back();
        }
    });
    effect(move || {
        let online = window_event_listener(leptos::ev::online, move |_| back());
        on_cleanup(move || online.remove());
    });
    view! {
        <p class="problem" role="alert" hidden=move || problem.with(String::is_empty)>
            {move || problem.get()}
            {maybe(link)}
        </p>
    }
    .boxed()
}
