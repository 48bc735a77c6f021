// Says when the page has stopped hearing from the registry, and since when. The panel is fetched anew by htmx.

const LIMIT_MS = 95_000;
const warning = document.getElementById("stale");
let heard = Date.now();

function hear() {
  heard = Date.now();
  warning.hidden = true;
  warning.querySelector("b").textContent = new Date(heard).toISOString().slice(11, 16);
}

document.body.addEventListener("htmx:after:swap", hear);
setInterval(() => { warning.hidden = Date.now() - heard < LIMIT_MS; }, 5_000);

const life = document.querySelector(".life");
life.scrollLeft = life.scrollWidth * (document.dir === "rtl" ? -1 : 1); // the newest version is at the end
