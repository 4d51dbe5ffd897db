//! Signals, values and element references whose code is compiled once for all types. With Leptos' own, each type brings
//! a copy of 5 KB before compression: docs/decisions/0008-weight.md.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock};

use leptos::html::ElementType;
use leptos::prelude::*;
use leptos::tachys::html::node_ref::NodeRefContainer;
use send_wrapper::SendWrapper;
use web_sys::wasm_bindgen::JsCast;

type Held = Arc<dyn Any + Send + Sync>;

/// A value that views follow. A handle: copies refer to the same value, which lives as long as the owner that created
/// it. Reading is tracked unless the name says otherwise.
pub struct BoxedSignal<T> {
    held: RwSignal<Held>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for BoxedSignal<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BoxedSignal<T> {}

impl<T: Default + Send + Sync + 'static> Default for BoxedSignal<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Send + Sync + 'static> BoxedSignal<T> {
    /// Creates a signal that belongs to the current owner.
    pub fn new(value: T) -> Self {
        Self {
            held: hold(Arc::new(RwLock::new(value))),
            holds: PhantomData,
        }
    }

    /// Reads the value.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.track();
        match self.try_with_untracked(look) {
            Some(result) => result,
            None => gone(),
        }
    }

    /// Reads the value. Returns `None` if its owner is gone.
    pub fn try_with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        look_at(&held(self.held)?, look)
    }

    /// The running effect or view runs again when the value changes.
    pub fn track(self) {
        self.held.track();
    }

    /// Sets the value. Does nothing if its owner is gone.
    pub fn set(self, new: T) {
        self.update(|value| *value = new);
    }

    /// Changes the value. Does nothing if its owner is gone.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        if self.try_change_untracked(change).is_some() {
            changed(self.held);
        }
    }

    fn try_change_untracked<R>(self, by: impl FnOnce(&mut T) -> R) -> Option<R> {
        change(&held(self.held)?, by)
    }
}

impl<T: Clone + Send + Sync + 'static> BoxedSignal<T> {
    /// Returns a copy of the value.
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// Returns a copy of the value, or `None` if its owner is gone.
    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }

    /// Returns a copy of the value.
    pub fn get_untracked(self) -> T {
        match self.try_get_untracked() {
            Some(value) => value,
            None => gone(),
        }
    }
}

/// Like [`BoxedSignal`], but the value lives as long as its handles.
pub struct ArcBoxedSignal<T> {
    held: ArcRwSignal<Held>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for ArcBoxedSignal<T> {
    fn clone(&self) -> Self {
        Self {
            held: self.held.clone(),
            holds: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static> ArcBoxedSignal<T> {
    /// Creates a signal that belongs to its handles.
    pub fn new(value: T) -> Self {
        Self {
            held: ArcRwSignal::new(Arc::new(RwLock::new(value))),
            holds: PhantomData,
        }
    }

    /// Reads the value.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.held.track();
        self.with_untracked(look)
    }

    /// Reads the value.
    pub fn with_untracked<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        match look_at(&self.held.get_untracked(), look) {
            Some(result) => result,
            None => gone(),
        }
    }

    /// Sets the value.
    pub fn set(&self, new: T) {
        if change(&self.held.get_untracked(), |value| *value = new).is_some() {
            self.held.notify();
        }
    }
}

/// A value that nothing follows. A handle: copies refer to the same value, which lives as long as the owner that
/// created it.
pub struct BoxedValue<T>(BoxedSignal<T>);

impl<T> Clone for BoxedValue<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BoxedValue<T> {}

impl<T: Default + Send + Sync + 'static> Default for BoxedValue<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Send + Sync + 'static> BoxedValue<T> {
    /// Creates a value that belongs to the current owner.
    pub fn new(value: T) -> Self {
        Self(BoxedSignal::new(value))
    }

    /// Reads the value.
    pub fn with_value<R>(self, look: impl FnOnce(&T) -> R) -> R {
        match self.try_with_value(look) {
            Some(result) => result,
            None => gone(),
        }
    }

    /// Reads the value. Returns `None` if its owner is gone.
    pub fn try_with_value<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.try_with_untracked(look)
    }

    /// Changes the value. Returns `None` if its owner is gone.
    pub fn try_update_value<R>(self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_change_untracked(change)
    }

    /// Sets the value. Does nothing if its owner is gone.
    pub fn set_value(self, new: T) {
        self.try_update_value(|value| *value = new);
    }
}

impl<T: Clone + Send + Sync + 'static> BoxedValue<T> {
    /// Returns a copy of the value, or `None` if its owner is gone.
    pub fn try_get_value(self) -> Option<T> {
        self.try_with_value(T::clone)
    }
}

fn look_at<T: 'static, R>(held: &Held, look: impl FnOnce(&T) -> R) -> Option<R> {
    let value: &RwLock<T> = held.downcast_ref()?;
    Some(look(&value.read().unwrap_or_else(PoisonError::into_inner)))
}

fn change<T: 'static, R>(held: &Held, by: impl FnOnce(&mut T) -> R) -> Option<R> {
    let value: &RwLock<T> = held.downcast_ref()?;
    Some(by(&mut value.write().unwrap_or_else(PoisonError::into_inner)))
}

#[inline(never)]
fn hold(value: Held) -> RwSignal<Held> {
    RwSignal::new(value)
}

#[inline(never)]
fn held(signal: RwSignal<Held>) -> Option<Held> {
    signal.try_get_untracked()
}

#[inline(never)]
fn changed(signal: RwSignal<Held>) {
    signal.notify();
}

#[cold]
#[inline(never)]
fn gone() -> ! {
    panic!("a signal was read after its owner was disposed")
}

/// A reference to an element, for `node_ref`.
pub struct ElementRef<E> {
    element: BoxedSignal<Option<SendWrapper<web_sys::Element>>>,
    is: PhantomData<fn() -> E>,
}

impl<E> Clone for ElementRef<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ElementRef<E> {}

impl<E> Default for ElementRef<E> {
    /// A reference without an element.
    fn default() -> Self {
        Self {
            element: BoxedSignal::new(None),
            is: PhantomData,
        }
    }
}

impl<E: ElementType> ElementRef<E>
where
    E::Output: JsCast,
{
    /// The element, if it exists. Tracked: the running effect runs again when the element appears.
    pub fn get(self) -> Option<E::Output> {
        self.element.track();
        self.get_untracked()
    }

    /// The element, if it exists.
    pub fn get_untracked(self) -> Option<E::Output> {
        element(self.element).map(JsCast::unchecked_into)
    }
}

impl<E: ElementType> NodeRefContainer<E> for ElementRef<E> {
    fn load(self, element: &web_sys::Element) {
        self.element.set(Some(SendWrapper::new(element.clone())));
    }
}

#[inline(never)]
fn element(signal: BoxedSignal<Option<SendWrapper<web_sys::Element>>>) -> Option<web_sys::Element> {
    Some((*signal.try_get_untracked()??).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_as_long_as_its_owner() {
        let owner = Owner::new();
        let (signal, value) = owner.with(|| (BoxedSignal::new(1), BoxedValue::new("one".to_owned())));
        signal.update(|number| *number += 1);
        assert_eq!((signal.get_untracked(), signal.try_get_untracked()), (2, Some(2)));
        assert_eq!(value.try_update_value(|text| text.len()), Some(3));
        owner.cleanup();
        signal.set(7);
        value.set_value(String::new());
        assert_eq!((signal.try_get_untracked(), value.try_get_value()), (None, None));
    }

    #[test]
    fn readers_of_a_signal_run_again_when_it_changes() {
        let owner = Owner::new();
        owner.set();
        let (signal, value) = (BoxedSignal::new(1), BoxedValue::new(1));
        let shared = ArcBoxedSignal::new(1);
        let sum = Memo::new({
            let shared = shared.clone();
            move |_| signal.get() + shared.with(|number| *number) + value.with_value(|number| *number)
        });
        assert_eq!(sum.get_untracked(), 3);
        value.set_value(100);
        assert_eq!(sum.get_untracked(), 3, "nothing follows this one");
        signal.set(2);
        assert_eq!(sum.get_untracked(), 103);
        shared.set(3);
        assert_eq!(sum.get_untracked(), 105);
    }
}
