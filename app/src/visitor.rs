//! What the server knows about a request before it renders anything.

use std::str::FromStr;
use std::sync::Arc;

use crate::signal::BoxedSignal;
use leptos::prelude::*;
use protocol::Person;
use serde::{Deserialize, Serialize};

use crate::client::platform;

/// Who asks, and how they like it. The server provides it as a context for every render and server function.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// Who the session belongs to, if there is one.
    pub you: Option<Person>,
    /// Which theme the page is to have.
    pub theme: Theme,
}

/// Where files are whose names the server knows best.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// URL of the ES module build of socket.io-client.
    pub socket_io: Arc<str>,
    /// What was built. Nothing while it is being worked on: names change then, and Leptos looks them up for each page.
    pub built: Option<Built>,
}

/// The built files of a site.
#[derive(Clone, Debug)]
pub struct Built {
    /// URL of the program's script.
    pub script: Arc<str>,
    /// URL of the program itself, WebAssembly.
    pub program: Arc<str>,
    /// The text of the style sheet. It is small enough to stand in the page, so that to read it takes no further round
    /// trip. Nothing in it ends an element of raw text.
    pub style: Arc<str>,
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The name in forms, in the cookie and in `<html data-theme>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.as_str() == name)
    }

    /// What the theme button leads to.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// There is no theme of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTheme;

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(name: &str) -> Result<Self, UnknownTheme> {
        Self::parse(name).ok_or(UnknownTheme)
    }
}

/// The theme that the page has now.
#[derive(Clone, Copy)]
pub struct PageTheme(pub BoxedSignal<Theme>);

impl PageTheme {
    /// The visitor's on the server; in the browser what the server wrote into the page.
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
    fn a_theme_is_its_name() {
        for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
            assert_eq!(Theme::parse(theme.as_str()), Some(theme));
            assert_eq!(theme.next().next().next(), theme);
        }
        assert_eq!(Theme::parse("Dark"), None);
    }
}
