// Starts the page's program when the page has been painted: until then the network and the processor are for what can
// be read. A page in a tab that nobody looks at is not painted; it starts at once.
//
// The program takes over the elements that the server wrote. Where something has changed them before (an extension, a
// phone that makes links of numbers), it could take the wrong ones: then it renders the page anew.
((program, binary) => {
  const FAILED = "hubbub-failed";
  let started = false;
  const fields = () => [...document.querySelectorAll("textarea, input[type=text]")];
  // Elements and comments before the page's data; extensions like to add something at the end.
  const nodes = () => {
    const walker = document.createTreeWalker(document.body, 129);
    let count = 0;
    while (walker.nextNode() && walker.currentNode.id !== "page") count += 1;
    return count;
  };
  const anew = (module, typed) => {
    const before = [...document.body.childNodes];
    document.body.replaceChildren(document.getElementById("page"));
    try {
      module.render();
    } catch (error) {
      document.body.replaceChildren(...before);
      const note = document.createElement("p");
      note.className = "problem";
      note.role = "alert";
      note.textContent = "This page could not be made live. It still works: reload it to see what is new.";
      document.body.prepend(note);
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
  const live = (module) => {
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
  const start = () => {
    if (started) return;
    started = true;
    // All three at once, not one when another asks for it.
    import("socket.io-client");
    const file = fetch(binary);
    // What takes long is taken in parts: between them the browser can answer whoever touches the page.
    import(program).then((module) => module.default({ module_or_path: file }).then(() => setTimeout(live, 0, module)));
  };
  if (document.hidden) return start();
  requestAnimationFrame(() => requestAnimationFrame(start));
  setTimeout(start, 1_000);
})
