// What changes while one looks, and what becomes of a page whose session has ended. The server says what happened to
// which thought; what stands in it is asked for like any other fragment.
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  // For whom the page was made; nobody, where nobody is signed in.
  const { member, feed, thoughts, login } = live.dataset;
  const shown = (id) => document.getElementById(`t-${id}`);
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`thoughts:${name}`, { detail }));

  // New thoughts are offered, never pushed under the reader.
  let waiting = new Set();
  let soon;
  const offer = () => {
    const list = document.getElementById("thoughts");
    const newest = list?.querySelector("article")?.id ?? "";
    const here = list && location.pathname === feed && !location.search.includes("before=");
    waiting = new Set([...waiting].filter((id) => here && (id === "missed" || (!shown(id) && `t-${id}` > newest))));
    let link = document.getElementById("offer");
    if (waiting.size === 0) return link?.remove();
    const text =
      waiting.has("missed") ? "Show what is new" : waiting.size === 1 ? "1 new thought" : `${waiting.size} new thoughts`;
    if (link?.textContent === text) return;
    if (!link) {
      link = document.createElement("a");
      link.id = "offer";
      link.href = feed;
      list.before(link);
      htmx.process(link);
    }
    link.textContent = text;
    tell("say", text);
  };
  // After a moment: what this page has shared itself is on its way into the list.
  const offerSoon = (id) => {
    waiting.add(id);
    clearTimeout(soon);
    soon = setTimeout(offer, 1000);
  };

  // In place, and only what is different there, so that neither the reader nor the focus moves.
  const refresh = (article) => {
    if (article.querySelector(".htmx-request")) return;
    const swap = "outerMorph ignoreTitle:true";
    const headers = { "Thoughts-By-Itself": "true" };
    htmx.ajax("GET", `${thoughts}/${article.id.slice(2)}`, { source: article, target: article, swap, headers });
  };
  const gone = (article) => {
    // Whoever deletes it here is about to be offered the way back.
    if (article.matches(".deleted") || article.querySelector(".htmx-request")) return;
    const focused = article.contains(document.activeElement);
    const line = document.createElement("p");
    line.textContent = "This thought was deleted.";
    article.style.minBlockSize = `${article.offsetHeight}px`;
    article.classList.add("gone");
    article.removeAttribute("aria-labelledby");
    article.replaceChildren(line);
    article.tabIndex = -1;
    if (focused) article.focus({ preventScroll: true });
  };
  // It may be out of sight by the time it is asked for.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (!ctx.request?.headers?.["Thoughts-By-Itself"]) return;
    const { ok, status } = ctx.response.raw;
    if (status === 404) gone(ctx.sourceElement);
    tasks.splice(0, tasks.length, ...tasks.filter(({ type }) => ok && type === "main"));
  });

  const on = (event, then) => live.addEventListener(event, ({ detail }) => then(detail?.data));
  on("shared", offerSoon);
  on("missed", () => {
    offerSoon("missed");
    const one = document.querySelector("#main > article.thought");
    if (one) refresh(one);
  });
  for (const event of ["edited", "restored"]) {
    on(event, (id) => {
      const article = shown(id);
      if (article) refresh(article);
    });
  }
  on("deleted", (id) => {
    const article = shown(id);
    if (article) gone(article);
    waiting.delete(id);
    offer();
  });
  document.addEventListener("htmx:after:settle", offer);

  // The page of somebody whose session has ended covers itself: what stands in it can be neither seen nor reached, and
  // what was typed is kept.
  const REASONS = {
    signed_out: "You have signed out in another tab.",
    elsewhere: "You have ended this session from another one.",
    replaced: "Somebody has signed in anew in this browser.",
    by_provider: "The service that you sign in with has ended this session.",
    by_admin: "An admin has ended this session.",
    not_allowed: "The service that you sign in with says that you may not come in here any more.",
    account_deleted: "Your account has been deleted.",
    expired: "This session has lasted its time, or was not used for too long.",
  };
  const written = () => [...document.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  let covered;
  const cover = (why) => {
    if (!member || covered) return;
    const others = [...document.body.children].filter((element) => element !== live && !element.inert);
    covered = { others, focused: document.activeElement, title: document.title };
    const part = (tag, text, id) => Object.assign(document.createElement(tag), { textContent: text, id });
    const box = Object.assign(document.createElement("div"), { id: "cover", role: "alertdialog", tabIndex: -1 });
    box.setAttribute("aria-labelledby", "cover-title");
    box.setAttribute("aria-describedby", "cover-why");
    const keeps = written();
    const link = part("a", keeps ? "Sign in, in a new tab" : "Sign in again", "cover-link");
    link.className = "button";
    link.href = login + encodeURIComponent(location.pathname + location.search);
    if (keeps) link.target = "_blank";
    const why_line = part("p", REASONS[why] ?? REASONS.expired, "cover-why");
    box.append(part("h2", "You are signed out", "cover-title"), why_line);
    if (keeps) box.append(part("p", "What you wrote is still here. Sign in again, and go on.", "cover-kept"));
    box.append(link);
    document.body.classList.add("covered");
    for (const element of others) element.inert = true;
    document.body.append(box);
    document.title = "Signed out · Thoughts";
    link.focus();
  };
  const uncover = () => {
    tell("signed-in");
    if (!covered) return;
    document.getElementById("cover").remove();
    document.body.classList.remove("covered");
    for (const element of covered.others) element.inert = false;
    document.title = covered.title;
    const { focused } = covered;
    covered = undefined;
    focused?.focus?.({ preventScroll: true });
    tell("say", "You are signed in again.");
  };
  on("ended", cover);
  on("known", uncover);
  live.addEventListener("htmx:sse:error", ({ detail }) => detail.status === 401 && cover("expired"));

  // Whoever has signed in again in another tab goes on here; where it is somebody else, the page is theirs from now on.
  const listen = () => htmx.trigger(live, "listen");
  if (!member) return;
  const tabs = new BroadcastChannel("thoughts");
  tabs.addEventListener("message", ({ data }) => {
    if (data !== member) return covered && location.reload();
    tell("signed-in");
    listen();
  });
  tabs.postMessage(member);
  document.addEventListener("visibilitychange", () => document.hidden || !covered || listen());
})();
