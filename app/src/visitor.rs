//! What the server knows about a request before it renders.

use std::str::FromStr;
use std::sync::Arc;

use crate::signal::BoxedSignal;
use leptos::prelude::*;
use protocol::Person;
use serde::{Deserialize, Serialize};

use crate::client::platform;

/// Who requests a page. The server provides it as a context when it renders.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The signed-in person, if there is a session.
    pub you: Option<Person>,
    /// The theme to render.
    pub theme: Theme,
}

/// Files whose names are known only at run time.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// URL of the ES module build of socket.io-client.
    pub socket_io: Arc<str>,
    /// The built files. `None` during development, when names change and Leptos looks them up for each page.
    pub built: Option<Built>,
}

/// The built files of the site.
#[derive(Clone, Debug)]
pub struct Built {
    /// URL of the program's script.
    pub script: Arc<str>,
    /// URL of the program's WebAssembly.
    pub program: Arc<str>,
    /// The text of the style sheet. It is small, so the page embeds it to save a round trip. Nothing in it ends an
    /// element of raw text.
    pub style: Arc<str>,
}

/// The colour theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The system's setting.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The theme's name in forms, in the cookie and in `<html data-theme>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.as_str() == name)
    }

    /// The theme that the theme button switches to.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// No theme has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTheme;

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(name: &str) -> Result<Self, UnknownTheme> {
        Self::parse(name).ok_or(UnknownTheme)
    }
}

/// The page's current theme.
#[derive(Clone, Copy)]
pub struct PageTheme(pub BoxedSignal<Theme>);

impl PageTheme {
    /// On the server the visitor's theme; in the browser the theme that the server wrote into the page.
    pub fn of_page() -> Self {
        let on_page = platform::page_theme().and_then(|name| Theme::parse(&name));
        let theme = on_page.or_else(|| use_context::<Visitor>().map(|visitor| visitor.theme));
        Self(BoxedSignal::new(theme.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_parse_from_their_names() {
        for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
            assert_eq!(Theme::parse(theme.as_str()), Some(theme));
            assert_eq!(theme.next().next().next(), theme);
        }
        assert_eq!(Theme::parse("Dark"), None);
    }
}
