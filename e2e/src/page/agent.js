// What the library asks of a page, in an isolated world: the page cannot see it, and what the page
// does to its own globals cannot break it. Everything here is synchronous, so that it works with
// the page's JavaScript turned off; waiting is done outside.
(() => {
  const TEXT_SHOWN = 60;
  const MATCHES_SHOWN = 10;
  const normal = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const short = (text) => (text.length > TEXT_SHOWN ? text.slice(0, TEXT_SHOWN) + '…' : text);
  const UNREAD = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD']);

  const textOf = (element) =>
    element instanceof HTMLInputElement && /^(submit|button|reset)$/.test(element.type)
      ? normal(element.value)
      : normal(element.innerText ?? element.textContent);

  const describe = (element) => {
    const attributes = [...element.attributes]
      .filter(({ name }) => /^(id|name|type|role|href|aria-label|data-testid|for)$/.test(name))
      .map(({ name, value }) => ` ${name}="${short(value)}"`)
      .join('');
    const tag = element.tagName.toLowerCase();
    return `<${tag}${attributes}>${short(textOf(element))}`;
  };

  const isVisible = (element) => {
    if (!element.isConnected || !element.checkVisibility({ visibilityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };

  const labelsOf = (element) => {
    const labelled = (element.getAttribute('aria-labelledby') ?? '')
      .split(/\s+/)
      .map((id) => id && element.ownerDocument.getElementById(id))
      .filter(Boolean);
    const texts = [...(element.labels ?? []), ...labelled].map((label) => normal(label.textContent));
    return [...texts, normal(element.getAttribute('aria-label'))];
  };

  // Smallest elements that hold the text: no child of theirs holds it alone.
  const withText = (root, text) => {
    const wanted = normal(text);
    const found = [];
    const holds = (element) => normal(element.textContent).includes(wanted);
    const visit = (element) => {
      if (UNREAD.has(element.tagName)) return false;
      if (element instanceof HTMLInputElement) {
        if (!textOf(element).includes(wanted)) return false;
        found.push(element);
        return true;
      }
      if (!holds(element)) return [...element.children].map(visit).includes(true);
      if (![...element.children].map(visit).includes(true)) found.push(element);
      return true;
    };
    visit(root.nodeType === Node.DOCUMENT_NODE ? root.documentElement : root);
    return found;
  };

  const steps = {
    css: (roots, { css }) => roots.flatMap((root) => [...root.querySelectorAll(css)]),
    label: (roots, { label }) =>
      roots
        .flatMap((root) => [
          ...root.querySelectorAll('input,textarea,select,button,output,meter,progress,[role],[contenteditable]'),
        ])
        .filter((element) => labelsOf(element).includes(normal(label))),
    text: (roots, { text }) => roots.flatMap((root) => withText(root, text)),
    having: (roots, { having }) => roots.filter((root) => textOf(root).includes(normal(having))),
    nth: (roots, { nth }) => roots.slice(nth, nth + 1),
  };

  // The browser's accessibility tree also has the inner parts of its own controls. An author's
  // shadow tree hangs below one of these or a custom element; any other is the browser's own.
  const HOSTS = /^(ARTICLE|ASIDE|BLOCKQUOTE|BODY|DIV|FOOTER|H[1-6]|HEADER|MAIN|NAV|P|SECTION|SPAN)$|-/;
  const isAuthors = (element) => {
    const root = element.getRootNode();
    return !(root instanceof ShadowRoot) || (HOSTS.test(root.host.tagName) && isAuthors(root.host));
  };

  const find = (roots, queries) =>
    queries.reduce((found, query) => [...new Set(steps[Object.keys(query)[0]](found, query))], roots.filter(isAuthors));

  const isEnabled = (element) =>
    !element.matches(':disabled') && !element.closest('[aria-disabled="true"]');
  const isEditable = (element) =>
    element.isContentEditable || ('readOnly' in element && !element.readOnly);

  const boxOf = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height];
  };

  const looks = (element) => ({
    what: describe(element),
    visible: isVisible(element),
    enabled: isEnabled(element),
    editable: isEditable(element),
    checked: element.checked ?? element.getAttribute('aria-checked') === 'true',
    focused: element.ownerDocument.activeElement === element,
    value: element.value ?? null,
    text: textOf(element),
    attributes: Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
    box: boxOf(element),
  });

  const operations = {
    looks,
    // Where to click: scrolls there, and tells what would get the click.
    point: (element) => {
      element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      const [left, top, width, height] = boxOf(element);
      const [x, y] = [left + width / 2, top + height / 2];
      let hit = element.ownerDocument.elementFromPoint(x, y);
      while (hit?.shadowRoot?.elementFromPoint(x, y) && hit.shadowRoot.elementFromPoint(x, y) !== hit) {
        hit = hit.shadowRoot.elementFromPoint(x, y);
      }
      const gets = hit && (element.contains(hit) || hit.closest('label')?.control === element);
      return { x, y, box: [left, top, width, height], covered: gets ? null : hit ? describe(hit) : 'the viewport ends before it' };
    },
    focus: (element) => {
      element.focus();
      return looks(element).focused;
    },
    selectAll: (element) => {
      element.focus();
      if (typeof element.select === 'function') element.select();
      else element.ownerDocument.getSelection().selectAllChildren(element);
      return true;
    },
    // Kinds of input that have no text to type: the value is set, and its events sent.
    setValue: (element, { value }) => {
      const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), 'value');
      own.set.call(element, value);
      if (element.value !== value) return false;
      element.dispatchEvent(new Event('input', { bubbles: true }));
      element.dispatchEvent(new Event('change', { bubbles: true }));
      return true;
    },
    select: (element, { option }) => {
      const options = [...(element.options ?? [])];
      const wanted = options.find((each) => normal(each.label) === normal(option) || each.value === option);
      if (!wanted) return { options: options.map((each) => normal(each.label)) };
      if (!wanted.selected) {
        wanted.selected = true;
        element.dispatchEvent(new Event('input', { bubbles: true }));
        element.dispatchEvent(new Event('change', { bubbles: true }));
      }
      return { selected: wanted.value };
    },
  };

  return {
    document,
    title: () => document.title,
    html: () => {
      const doctype = document.doctype ? `<!DOCTYPE ${document.doctype.name}>\n` : '';
      return doctype + document.documentElement.outerHTML;
    },
    // Elements for the steps that are resolved outside.
    roots: (roots, { queries }) => find(roots.length ? roots : [document], queries),
    // What all matches look like, without doing anything.
    matches: (roots, { queries, isResolved }) => {
      const found = find(roots.length || isResolved ? roots : [document], queries);
      return { count: found.length, texts: found.map(textOf), seen: found.slice(0, MATCHES_SHOWN).map(describe) };
    },
    // Does one thing with the only match.
    only: (roots, { queries, isResolved, operation, options }) => {
      const found = find(roots.length || isResolved ? roots : [document], queries);
      const seen = found.slice(0, MATCHES_SHOWN).map(describe);
      if (found.length !== 1) return { count: found.length, seen };
      return { count: 1, seen, result: operations[operation](found[0], options ?? {}) };
    },
  };
})()
