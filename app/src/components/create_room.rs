//! Create a room. A plain form that leads into the room.

use leptos::prelude::*;

/// The form.
#[component]
pub fn CreateRoom() -> impl IntoView {
    view! {
        <form class="create-room card" method="post" action="/rooms">
            <label for="title">"Room name"</label>
            <div class="field-row">
                <input id="title" name="title" type="text" required autocomplete="off" placeholder="Night shift" />
                <button class="button">"Create room"</button>
            </div>
        </form>
    }
}
