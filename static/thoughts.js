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
  document.addEventListener("thoughts:say", ({ detail }) => say(detail));
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
  // A panel that is put up is where one acts next; it goes when one is done with it.
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (detail.ctx.response?.headers.get("hx-retarget") === "#panel") document.querySelector("#panel a, #panel button")?.focus();
  });
  const close = () => document.getElementById("panel").replaceChildren();
  document.addEventListener("click", ({ target }) => target.closest("[data-close]") && close());
  document.addEventListener("thoughts:signed-in", () => {
    if (!document.querySelector("#panel [data-signed-out]")) return;
    close();
    say("You are signed in again. Now it can be sent.");
  });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && close());

  // While a form is on its way its words stay as they are: what comes back takes its place.
  const busy = (form, on) => {
    if (!form?.matches?.("form.composer")) return;
    form.ariaBusy = on;
    form.querySelector("textarea").readOnly = on;
  };
  document.addEventListener("htmx:before:request", ({ target }) => busy(target, true));
  document.addEventListener("htmx:finally:request", ({ target }) => busy(target, false));

  // What is being written outlives a reload and a look elsewhere, in this tab, for its writer; signing out, and leaving
  // it as it was, clear it away.
  const draft = (form) => `draft ${form.dataset.writer} ${form.getAttribute("action")}`;
  document.addEventListener("input", ({ target }) => {
    const form = target.closest("form.composer");
    if (form) sessionStorage.setItem(draft(form), JSON.stringify([form.message.value, form.visibility.value]));
  });
  const restore = () => {
    for (const form of document.querySelectorAll("form.composer:not([data-draft])")) {
      form.dataset.draft = "";
      const kept = sessionStorage.getItem(draft(form));
      if (!kept || form.querySelector("[aria-invalid], [role=status]")) continue;
      [form.message.value, form.visibility.value] = JSON.parse(kept);
    }
  };
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-discard]")) sessionStorage.removeItem(draft(document.querySelector("form.composer")));
  });
  document.addEventListener("DOMContentLoaded", restore);
  document.addEventListener("htmx:after:settle", restore);
  document.addEventListener("htmx:before:swap", ({ detail }) => {
    const { sourceElement, response } = detail.ctx;
    if (response?.raw.ok && sourceElement?.matches?.("form.composer")) sessionStorage.removeItem(draft(sourceElement));
  });

  document.addEventListener("htmx:error", () => say("That did not get through. Try again."));
})();
