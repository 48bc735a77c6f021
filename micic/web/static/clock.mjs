// Keeps the clocks of the top bar right. Without it they show the time at which the page was made.
const clocks = document.querySelectorAll(".clock[data-zone]");

function show() {
  const now = new Date();
  for (const clock of clocks) {
    const time = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.zone,
    }).format(now);
    clock.querySelector("b").textContent = time;
  }
  setTimeout(show, 60_000 - (now.getTime() % 60_000));
}

if (clocks.length) show();
