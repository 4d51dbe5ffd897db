// Starts the page's program when the page has been painted: until then the network and the processor are for what can
// be read. A page in a tab that nobody looks at is not painted; it starts at once.
((program, binary) => {
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    // All three at once, not one when another asks for it.
    import("socket.io-client");
    const file = fetch(binary);
    // What takes long is taken in parts: between them the browser can answer whoever touches the page.
    import(program).then((module) => module.default({ module_or_path: file }).then(() => setTimeout(() => module.hydrate())));
  };
  if (document.hidden) return start();
  requestAnimationFrame(() => requestAnimationFrame(start));
  setTimeout(start, 1_000);
})
