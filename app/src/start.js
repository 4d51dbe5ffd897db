// Starts the page's program after the first paint, so that network and processor first serve what can be read. A hidden
// tab is not painted, so its program starts at once.
//
// The program hydrates the elements that the server rendered. If something has changed them before (an extension, a
// phone that turns numbers into links), hydration could use the wrong ones, so the program renders the page anew.
((program, binary) => {
  const FAILED = "hubbub-failed";
  let started = false;
  // A form was submitted: the page unloads as soon as it is answered.
  let leaving = false;
  let tries = 0;
  let again;
  const fields = () => [...document.querySelectorAll("textarea, input[type=text]")];
  // Elements and comments before the page's data. Extensions tend to add elements after it.
  const nodes = () => {
    const walker = document.createTreeWalker(document.body, 129);
    let count = 0;
    while (walker.nextNode() && walker.currentNode.id !== "page") count += 1;
    return count;
  };
  const note = document.createElement("p");
  const warn = () => {
    note.className = "problem";
    note.role = "alert";
    note.textContent = "Live updates could not be loaded. The page still works: reload it to see new messages.";
    document.body.prepend(note);
  };
  const renderAnew = (module, typed) => {
    const before = [...document.body.childNodes];
    document.body.replaceChildren(document.getElementById("page"));
    try {
      module.render();
    } catch (error) {
      document.body.replaceChildren(...before);
      warn();
      throw error;
    }
    // Keep what was typed meanwhile.
    setTimeout(() => fields().forEach((field) => {
      if (!field.value && typed[field.id]) {
        field.value = typed[field.id];
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }));
  };
  const hydrate = (module) => {
    note.remove();
    const typed = Object.fromEntries(fields().map(({ id, value }) => [id, value]));
    let failed;
    try {
      failed = sessionStorage[FAILED];
      delete sessionStorage[FAILED];
    } catch {}
    if (failed) return renderAnew(module, JSON.parse(failed));
    if (nodes() !== Number(document.body.dataset.nodes)) return renderAnew(module, typed);
    try {
      module.hydrate();
    } catch (error) {
      // A program that failed halfway is unusable: reload, and render anew.
      sessionStorage[FAILED] = JSON.stringify(typed);
      location.reload();
      throw error;
    }
  };
  // Enter sends even before hydration, by the rules of `app/src/client/composing.rs`.
  const pressed = (event) => {
    const { target, key, shiftKey, ctrlKey, metaKey, isComposing, keyCode } = event;
    const newline = shiftKey && !ctrlKey && !metaKey || isComposing || keyCode === 229;
    if (target.id !== "message" || key !== "Enter" || newline || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    if (target.value.trim()) target.form.requestSubmit();
  };
  const live = (module) => {
    hydrate(module);
    removeEventListener("keydown", pressed);
  };
  const load = () => {
    clearTimeout(again);
    removeEventListener("online", load);
    // Load all three in parallel.
    Promise.all([import(program), fetch(binary), import("socket.io-client")])
      .then(([module, file]) => module.default({ module_or_path: file }).then(() => {
        // Hydrate in a separate task, so that the browser can respond to input in between.
        setTimeout(live, leaving ? 5_000 : 0, module);
      }))
      .catch(() => {
        tries += 1;
        if (tries === 3) warn();
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
  // On a small screen the list of people is a sheet, which closes on a touch outside.
  addEventListener("pointerdown", ({ target }) => {
    const sheet = document.querySelector(".people[open]");
    if (sheet && !sheet.contains(target) && !matchMedia("(min-width: 60rem)").matches) sheet.open = false;
  });
  if (document.hidden) return start();
  requestAnimationFrame(() => requestAnimationFrame(start));
  setTimeout(start, 1_000);
})
