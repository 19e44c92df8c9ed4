"use strict";
{
  const find = (selector) => document.querySelector(selector);
  const grid = find(".grid");
  const tools = find(".tools");
  const dialog = find("dialog");
  const stage = find(".stage");
  const frame = find(".frame");
  const range = find("dialog input");
  const before = find(".before");
  const after = find(".after");
  const films = [find("video.before"), find("video.after")];
  const play = find("button.play");
  const message = find(".message");
  const items = [...grid.children];
  const ranks = ["failed", "skipped", "done"];
  const orders = {
    time: (a, b) => b.dataset.seconds - a.dataset.seconds,
    status: (a, b) => ranks.indexOf(a.dataset.status) - ranks.indexOf(b.dataset.status),
  };
  let links = []; // what the viewer goes through: the cards shown that have a result, in their order
  let current = 0;

  function arrange() {
    const wanted = tools.elements.show.value;
    const order = tools.elements.sort.value;
    const sorted = order in orders ? [...items].sort(orders[order]) : items; // as written: by name
    if (sorted.some((item, place) => grid.children[place] !== item)) grid.append(...sorted);
    const shown = sorted.filter((item) => wanted === "all" || item.dataset.status === wanted);
    for (const item of items) item.hidden = wanted !== "all" && item.dataset.status !== wanted;
    links = shown.map((item) => item.firstElementChild).filter((card) => card.href);
    tools.elements.count.value = `${shown.length} of ${items.length} shown`;
    find(".empty").hidden = shown.length > 0;
  }

  function load(image, address, standIn, what) {
    image.onerror = () => {
      image.onerror = null;
      const instead = standIn ? "a small preview stands in" : "nothing can stand in for it";
      message.textContent += `The ${what} is gone, in a store, or of a format this browser cannot show: ${instead}. `;
      if (standIn) image.src = standIn;
      else image.removeAttribute("src");
    };
    image.src = address;
  }

  function show(place) {
    current = (place + links.length) % links.length;
    const card = links[current];
    const text = (selector) => card.querySelector(selector)?.textContent;
    const thumbnail = card.querySelector("img");
    message.textContent = "";
    frame.style.setProperty("--width", card.dataset.width > 0 ? card.dataset.width : 640);
    frame.style.setProperty("--ratio", card.dataset.width > 0 ? card.dataset.width / card.dataset.height : 1.5);
    const isFilm = "film" in card.dataset;
    for (const element of [before, after]) element.hidden = isFilm;
    for (const element of [...films, play]) element.hidden = !isFilm;
    stop();
    if (isFilm) {
      for (const image of [before, after]) image.removeAttribute("src");
      load(films[0], card.dataset.source, undefined, "film");
      load(films[1], card.href, undefined, "cartoon");
      films[0].poster = card.dataset.photo ?? "";
      films[1].poster = thumbnail?.src ?? "";
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) films[1].play().catch(() => {});
    } else {
      load(before, card.dataset.source, card.dataset.photo, "photo");
      load(after, card.href, thumbnail?.src, "cartoon");
    }
    find("#viewer-name").textContent = text(".name");
    find(".place").textContent = `${current + 1} of ${links.length}`;
    find(".about").textContent = [text(".how > .status"), text(".seconds"), text(".folder"), text(".notes")].filter(Boolean).join(" · ");
    find(".announcement").textContent = `${text(".name")}, ${current + 1} of ${links.length}`;
    find(".open-photo").href = card.dataset.source;
    find(".open-result").href = card.href;
    for (const side of [current + 1, current - 1]) {
      const near = links[(side + links.length) % links.length];
      if ("film" in near.dataset) continue;
      new Image().src = near.dataset.source;
      new Image().src = near.href;
    }
  }

  function stop() {
    for (const film of films) {
      film.onerror = null;
      film.pause();
      film.removeAttribute("src");
      film.removeAttribute("poster");
      film.load();
    }
  }

  // The cartoon leads, the film follows: it begins `data-film` seconds into it where a stretch was converted.
  function follows() {
    const [film, cartoon] = films;
    const place = cartoon.currentTime + Number(links[current].dataset.film);
    if (Math.abs(film.currentTime - place) > 0.08) film.currentTime = place;
    if (film.paused !== cartoon.paused) cartoon.paused ? film.pause() : film.play().catch(() => {});
    play.textContent = cartoon.paused ? "Play" : "Pause";
  }

  function split(percent) {
    range.value = percent;
    frame.style.setProperty("--split", `${range.value}%`);
    range.ariaValueText = `photo ${range.value} %, cartoon ${100 - range.value} %`;
  }

  function follow(event) {
    const box = frame.getBoundingClientRect();
    split((100 * (event.clientX - box.left)) / box.width);
  }

  tools.addEventListener("change", arrange);
  tools.addEventListener("submit", (event) => event.preventDefault());
  grid.addEventListener("click", (event) => {
    const card = event.target.closest("a.card");
    if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
    show(links.indexOf(card));
  });
  dialog.addEventListener("close", () => {
    for (const image of [before, after]) image.removeAttribute("src");
    stop();
    links[current].focus();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target === range || event.target === stage || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(current + step);
  });
  find(".previous").addEventListener("click", () => show(current - 1));
  find(".next").addEventListener("click", () => show(current + 1));
  find(".close").addEventListener("click", () => dialog.close());
  find("button.actual").addEventListener("click", (event) => {
    const actual = stage.classList.toggle("actual");
    event.currentTarget.ariaPressed = actual;
  });
  for (const event of ["play", "pause", "seeked", "timeupdate", "loadeddata"]) films[1].addEventListener(event, follows);
  play.addEventListener("click", () => (films[1].paused ? films[1].play().catch(() => {}) : films[1].pause()));
  range.addEventListener("input", () => split(range.value));
  frame.addEventListener("pointerdown", (event) => {
    if (event.button || (event.pointerType === "touch" && stage.classList.contains("actual"))) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });

  tools.hidden = false;
  split(50);
  arrange();
}
