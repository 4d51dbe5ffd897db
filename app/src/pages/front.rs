//! The front page: introduction, sign-in, list of rooms.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::client::returned::Returned;
use crate::components::{CreateRoom, Notices, RoomCards, Session, SignIn, TopBar, maybe};
use crate::data::FrontData;
use crate::head;

/// Shows the front page's data.
#[component]
pub fn Front(data: FrontData) -> impl IntoView {
    head::title(|| "Hubbub".to_owned());
    let FrontData {
        you,
        rooms,
        total,
        now,
        returned,
    } = data;
    let signed_in = you.is_some();
    let person = you.clone();
    let (welcome, create) = match you {
        Some(you) => {
            // Without a title, the reason is about signing out.
            let (why, returned) = match returned.text.is_empty() {
                true => (returned.why, Returned::default()),
                false => (String::new(), returned),
            };
            (
                view! { <Session you next="/" why/> }.boxed(),
                view! { <CreateRoom returned/> }.boxed(),
            )
        }
        None => (
            view! { <SignIn next="/" returned/> }.boxed(),
            view! { <p class="hint">"Sign in to create a room."</p> }.boxed(),
        ),
    };
    view! {
        <TopBar/>
        <main id="main" class="front">
            <section class="hero">
                <h1>"Team chat that never loses a message."</h1>
                <p class="lead-text">"Nothing you write gets lost, even when the connection does."</p>
                {maybe(signed_in.then(|| view! { <Notices/> }.boxed()))}
                {welcome}
            </section>
            <section class="rooms" aria-labelledby="rooms-title">
                <h2 id="rooms-title">"Rooms"</h2>
                {create}
                <RoomCards rooms total now you=person/>
            </section>
        </main>
    }
    .boxed()
}
