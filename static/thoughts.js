// What a form or a link can't do by itself. Everything works without it.
(() => {
  const nonce = document.querySelector("script[nonce]")?.nonce;

  // What a fragment puts elsewhere on the page must carry the response's nonce, as hx-csp asks of everything
  // else: what a person typed can't, even if the sanitizer failed.
  htmx.registerExtension("thoughts", {
    htmx_before_swap(_, { tasks }) {
      const ours = ({ type, fragment }) =>
        type === "main" || (type === "oob" && nonce && fragment.firstElementChild?.getAttribute("hx-nonce") === nonce);
      tasks.splice(0, tasks.length, ...tasks.filter(ours));
    },
  });

  // Times in the reader's own zone; the exact one on hover.
  const short = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "long" });
  const localize = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      time.textContent = short.format(at);
      time.title = exact.format(at);
      time.dataset.local = "";
    }
  };
  const say = (text) => {
    const line = document.createElement("p");
    line.textContent = text;
    document.getElementById("status").replaceChildren(line);
  };

  document.addEventListener("DOMContentLoaded", () => localize(document));
  // Focus that goes with what is replaced comes back where the new begins: at the heading of a new screen, at the
  // form's field, or at whatever took the place of the rest.
  let taken = false;
  document.addEventListener("htmx:before:swap", ({ detail }) => {
    taken = detail.tasks.some(({ type, target }) => type === "main" && target?.contains?.(document.activeElement));
  });
  document.addEventListener("htmx:after:settle", ({ target, detail }) => {
    localize(document);
    if (detail.task.type !== "main") return;
    const screen = target.id === "main" || target === document.body;
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (!(screen || (taken && lost)) || target.querySelector("[autofocus]")) return;
    const begin = screen ? target.querySelector("h1") : detail.newContent.find((node) => node.nodeType === Node.ELEMENT_NODE);
    if (begin && !begin.hasAttribute("tabindex")) begin.tabIndex = -1;
    begin?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:error", () => say("That did not get through. Nothing you wrote is lost: try again."));
})();
