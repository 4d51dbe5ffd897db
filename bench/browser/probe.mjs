// Runs in the page before its own scripts. Records frames, long tasks, when the page became live, and WebAssembly's
// memory.

export function probe() {
  const bench = { frames: [], longTasks: [], memory: undefined, live: undefined };
  globalThis.bench = bench;
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await real.apply(WebAssembly, args);
      bench.memory = (result.instance ?? result).exports.memory;
      return result;
    };
  }
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) bench.longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });
  // The server's HTML is not live yet: only the client adds this class.
  const look = () => {
    if (bench.live === undefined && document.querySelector(".connection.live")) bench.live = performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  const frame = (at) => {
    bench.frames.push(at);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
