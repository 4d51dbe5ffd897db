//! Why the server refused a form, shown beside the form.

use crate::components::Boxed;
use leptos::prelude::*;
use protocol::RoomSlug;

use super::{maybe, reactive};
use crate::client::navigation::Navigation;
use crate::problem::Problem;

/// The sentence for `?problem=`, if it belongs beside this form.
#[component]
pub fn ProblemNote(
    /// True: only problems of creating a room. False: all others. Absent: all.
    #[prop(optional, into)]
    about_rooms: Option<bool>,
) -> impl IntoView {
    let navigation = expect_context::<Navigation>();
    let belongs = move |problem: &Problem| {
        let room = matches!(problem, Problem::Title | Problem::RoomExists);
        about_rooms.is_none_or(|about_rooms| about_rooms == room)
    };
    let problem = move || -> Option<Problem> { navigation.value("problem")?.parse().ok() };
    reactive(move || {
        let room = || RoomSlug::try_from(navigation.value("room")?).ok();
        let note = problem().filter(belongs).map(|problem| {
            let there = (problem == Problem::RoomExists)
                .then(room)
                .flatten()
                .map(|room| view! { " " <a href=format!("/rooms/{room}")>"Open it"</a> "." }.boxed());
            view! {
                <p class="problem" role="alert">
                    {problem.sentence()}
                    {maybe(there)}
                </p>
            }
            .boxed()
        });
        maybe(note)
    })
}
