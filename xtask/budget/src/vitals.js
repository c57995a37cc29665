// Observes a page's load from its first moment. Definitions: web.dev/articles/fcp, /lcp, /cls, /tbt.
(() => {
  if (window.top !== window) return;
  const seen = { fcp: null, lcp: [], shifts: [], tasks: [] };
  const describe = (node) => {
    const element = node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement;
    if (!element) return 'an element that is gone';
    const id = element.id ? `#${element.id}` : '';
    const classes = [...element.classList].map((name) => `.${name}`).join('');
    return `<${element.tagName.toLowerCase()}>${id}${classes}`;
  };
  const observe = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe('paint', (entry) => {
    if (entry.name === 'first-contentful-paint') seen.fcp = entry.startTime;
  });
  observe('largest-contentful-paint', (entry) => {
    seen.lcp.push({ at: entry.startTime, element: describe(entry.element), url: entry.url || null });
  });
  observe('layout-shift', (entry) => {
    if (entry.hadRecentInput) return;
    const sources = (entry.sources ?? []).map((source) => describe(source.node));
    seen.shifts.push({ at: entry.startTime, score: entry.value, sources });
  });
  observe('longtask', (entry) => seen.tasks.push({ at: entry.startTime, duration: entry.duration }));
  Object.defineProperty(window, Symbol.for('slipway.vitals'), { value: seen });
})();
