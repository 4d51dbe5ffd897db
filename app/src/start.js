// Starts the page's program when the page has been painted: until then the network and the processor are for what can
// be read. A page in a tab that nobody looks at is not painted; it starts at once.
//
// The program takes over the elements that the server wrote. Where something has changed them before (an extension, a
// phone that makes links of numbers), it could take the wrong ones: then it renders the page anew.
((program, binary) => {
  const FAILED = "hubbub-failed";
  let started = false;
  // A form is on its way: the page goes as soon as it is answered.
  let leaving = false;
  let tries = 0;
  let again;
  const fields = () => [...document.querySelectorAll("textarea, input[type=text]")];
  // Elements and comments before the page's data; extensions like to add something at the end.
  const nodes = () => {
    const walker = document.createTreeWalker(document.body, 129);
    let count = 0;
    while (walker.nextNode() && walker.currentNode.id !== "page") count += 1;
    return count;
  };
  const note = document.createElement("p");
  const say = () => {
    note.className = "problem";
    note.role = "alert";
    note.textContent = "Live updates could not be loaded. The page still works: reload it to see new messages.";
    document.body.prepend(note);
  };
  const anew = (module, typed) => {
    const before = [...document.body.childNodes];
    document.body.replaceChildren(document.getElementById("page"));
    try {
      module.render();
    } catch (error) {
      document.body.replaceChildren(...before);
      say();
      throw error;
    }
    // What was typed meanwhile stays.
    setTimeout(() => fields().forEach((field) => {
      if (!field.value && typed[field.id]) {
        field.value = typed[field.id];
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }));
  };
  const take = (module) => {
    note.remove();
    const typed = Object.fromEntries(fields().map(({ id, value }) => [id, value]));
    let failed;
    try {
      failed = sessionStorage[FAILED];
      delete sessionStorage[FAILED];
    } catch {}
    if (failed) return anew(module, JSON.parse(failed));
    if (nodes() !== Number(document.body.dataset.nodes)) return anew(module, typed);
    try {
      module.hydrate();
    } catch (error) {
      // A program that ended in the middle is of no use: the next document renders anew.
      sessionStorage[FAILED] = JSON.stringify(typed);
      location.reload();
      throw error;
    }
  };
  // Until the program does it: Enter sends, as it says in `app/src/client/composing.rs`.
  const pressed = (event) => {
    const { target, key, shiftKey, ctrlKey, metaKey, isComposing, keyCode } = event;
    const newline = shiftKey && !ctrlKey && !metaKey || isComposing || keyCode === 229;
    if (target.id !== "message" || key !== "Enter" || newline || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    if (target.value.trim()) target.form.requestSubmit();
  };
  const live = (module) => {
    take(module);
    removeEventListener("keydown", pressed);
  };
  const load = () => {
    clearTimeout(again);
    removeEventListener("online", load);
    // All three at once, not one when another asks for it.
    Promise.all([import(program), fetch(binary), import("socket.io-client")])
      .then(([module, file]) => module.default({ module_or_path: file }).then(() => {
        // What takes long is taken in parts: between them the browser can answer whoever touches the page.
        setTimeout(live, leaving ? 5_000 : 0, module);
      }))
      .catch(() => {
        tries += 1;
        if (tries === 3) say();
        again = setTimeout(load, Math.min(1_000 * 2 ** tries, 30_000));
        addEventListener("online", load);
      });
  };
  const start = () => {
    if (started) return;
    started = true;
    load();
  };
  addEventListener("keydown", pressed);
  addEventListener("submit", () => {
    leaving = true;
  });
  // On a small screen the list of people is a sheet: it closes when something else is touched.
  addEventListener("pointerdown", ({ target }) => {
    const sheet = document.querySelector(".people[open]");
    if (sheet && !sheet.contains(target) && !matchMedia("(min-width: 60rem)").matches) sheet.open = false;
  });
  if (document.hidden) return start();
  requestAnimationFrame(() => requestAnimationFrame(start));
  setTimeout(start, 1_000);
})
