// Puts each new state of the figures into the page as it comes (server-sent events), and says so quietly.
const live = document.getElementById("live");
const state = document.getElementById("link-state");
const said = document.getElementById("said");
const before = () => new Map([...live.querySelectorAll("[data-cell]")].map((e) => [e.dataset.cell, e.textContent]));

const source = new EventSource("/v1/live");
const say = (on) => {
  state.classList.toggle("on", on);
  state.textContent = on ? state.dataset.on : state.dataset.off;
};
source.onopen = () => say(true);
source.onerror = () => {
  say(false);
  // A broken line is tried again by the browser itself; a refusal is final, and the page then says why.
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
};
source.addEventListener("figures", (event) => {
  const was = before();
  live.innerHTML = event.data;
  let changed = 0;
  for (const cell of live.querySelectorAll("[data-cell]")) {
    if (was.get(cell.dataset.cell) !== cell.textContent) {
      cell.classList.add("new");
      changed += 1;
    }
  }
  if (changed) said.textContent = said.dataset.changed.replace("{n}", changed);
});
source.addEventListener("signed-out", () => {
  source.close();
  location.assign("/sign-in?why=token_expired");
});
