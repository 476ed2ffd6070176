"use strict";
/* Unpacks plotly and the data, draws figures as they come into view, and plays the map. Nothing is fetched. */
(async () => {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpacked = async (id) => {
    const packed = new Blob([bytesOf(document.getElementById(id).textContent)]);
    return new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("too-old").hidden = false;
    return;
  }
  const library = document.createElement("script");
  library.textContent = await unpacked("library");
  document.head.append(library);
  const page = JSON.parse(await unpacked("data"));
  const isNarrow = () => window.innerWidth < 640;
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const buttons = [["toImage", "zoom2d", "pan2d", "resetScale2d"]];
  const config = { responsive: true, displaylogo: false, modeBarButtons: buttons };
  const bar = { bgcolor: "rgba(0,0,0,0)", color: "#9aa5b1", activecolor: "#0072b2" };
  const thing = (id) => document.getElementById(id);

  /* ---- figures ---- */
  const drawn = new Set();
  const draw = (element) => {
    if (drawn.has(element.id)) return;
    drawn.add(element.id);
    const figure = page.figures[element.id];
    if (figure) {
      const layout = { ...figure.layout, modebar: bar };
      if (isNarrow()) {
        layout.margin = { ...layout.margin, l: 44, r: 6 };
        layout.font = { ...layout.font, size: 11 };
      }
      Plotly.newPlot(element, figure.data, layout, config);
    } else if (element.id === "network-picture") drawNetwork(element);
    else if (element.classList.contains("map")) drawMaps();
    element.dataset.drawn = "true";
  };
  const plots = [...document.querySelectorAll(".plot")];
  const drawAll = () => plots.forEach(draw);
  const watch = new IntersectionObserver(
    (entries) => entries.forEach((entry) => entry.isIntersecting && draw(entry.target)),
    { rootMargin: "600px" },
  );

  /* ---- the map ---- */
  const hasWebGL = (() => {
    try {
      return Boolean(document.createElement("canvas").getContext("webgl"));
    } catch {
      return false;
    }
  })();
  const MOST_SVG = 4000;
  const MOST_CLASSES = 100;
  const typed = { f: Float32Array, i: Int32Array, u: Uint16Array };
  const read = (text, kind) => new typed[kind](bytesOf(text).buffer);
  const STATISTICS = {
    class: "class",
    degree: "in-neighbours",
    age: "age of the model",
    staleness: "staleness, ticks",
    wakes: "wakes",
    distance: "distance from the mean model",
  };
  const map = page.map;
  const runs = map ? map.runs : [];
  for (const run of runs) {
    run.nodes = read(run.nodes, "i");
    run.classes = run.labels && read(run.labels, "i");
    run.degree = read(run.degree, "f");
    for (const frames of Object.values(run.places)) {
      for (const frame of frames) Object.assign(frame, { x: read(frame.x, "u"), y: read(frame.y, "u") });
    }
    for (const frame of run.statistics) for (const name of Object.keys(frame)) frame[name] = read(frame[name], "f");
    const picture = run.network;
    for (const name of Object.keys(picture)) picture[name] = read(picture[name], name.length === 1 ? "f" : "i");
    run.place = new Map(Array.from(run.nodes, (node, index) => [node, index]));
    run.shown = hasWebGL || run.count <= MOST_SVG ? null : Math.ceil(run.count / MOST_SVG);
  }
  /* classes that occur, as there may be a few with large numbers; a class has one colour in all runs */
  const nameOf = (run, label) => run.classNames[label] || `class ${label}`;
  const sets = runs.map((run) => new Set(run.classes));
  const classes = [...new Set(sets.flatMap((set) => [...set]))].sort((one, other) => one - other);
  const rank = new Map(classes.map((label, index) => [label, index]));
  for (const run of runs) {
    run.labels = run.classes && run.classes.map((label) => rank.get(label));
    run.shades = run.labels && run.labels.map((label) => label % map.colours.length);
  }
  const now = { tick: 0, method: "", colour: "class", hidden: new Set(), runs: [0, Math.min(1, runs.length - 1)] };
  const ticks = [...new Set(runs.flatMap((run) => run.ticks))].sort((one, other) => one - other);
  const frameOf = (run, tick) => Math.max(0, run.ticks.filter((taken) => taken <= tick).length - 1);
  const classNames = classes.map((label) => {
    const having = runs.filter((_, index) => sets[index].has(label));
    return [...new Set(having.map((run) => nameOf(run, label)))].join(" / ");
  });
  const colourOf = (label) => map.colours[label % map.colours.length];

  const CIVIDIS = [
    [0, "#00224e"], [0.125, "#123570"], [0.25, "#3b496c"], [0.375, "#575d6d"], [0.5, "#707173"],
    [0.625, "#8a8678"], [0.75, "#a59c74"], [0.875, "#c3b369"], [1, "#fee838"],
  ];
  const valuesOf = (run, frame) => {
    if (now.colour === "class") return run.shades || new Int32Array(run.count);
    return now.colour === "degree" ? run.degree : run.statistics[frame][now.colour];
  };
  /* one scale for all times and both maps, so that colours can be compared */
  const scaleOf = () => {
    if (now.colour === "class") {
      const count = Math.max(1, Math.min(classes.length, map.colours.length));
      const steps = Array.from({ length: count }, (_, index) => [
        [index / count, colourOf(index)], [(index + 1) / count, colourOf(index)],
      ]);
      return { cmin: -0.5, cmax: count - 0.5, colorscale: steps.flat(), showscale: false };
    }
    let low = Infinity, high = -Infinity;
    for (const run of new Set(now.runs.map((index) => runs[index]))) {
      for (let frame = 0; frame < run.ticks.length; frame++) {
        for (const value of valuesOf(run, frame)) {
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
    }
    if (!(low <= high)) [low, high] = [0, 1];
    const title = { text: STATISTICS[now.colour], side: "right", font: { size: 12 } };
    return { cmin: low, cmax: high, colorscale: CIVIDIS, showscale: true, colorbar: { thickness: 12, len: 0.9, title } };
  };
  const pointsOf = (run, frame, earlier, share) => {
    const here = run.places[now.method][frame];
    const there = earlier === undefined ? here : run.places[now.method][earlier];
    const every = run.shown || 1;
    const count = Math.ceil(run.count / every);
    const x = new Float32Array(count), y = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      const node = index * every;
      const isHidden = now.hidden.size && run.labels && now.hidden.has(run.labels[node]);
      x[index] = isHidden ? NaN : there.x[node] + (here.x[node] - there.x[node]) * share;
      y[index] = isHidden ? NaN : there.y[node] + (here.y[node] - there.y[node]) * share;
    }
    return { x, y };
  };
  const thinned = (run, values) => (run.shown ? values.filter((_, index) => index % run.shown === 0) : values);
  const sizeFor = (count) => Math.max(2.2, Math.min(8, 260 / Math.sqrt(count)));
  const MOST_SYMBOLS = 5000;
  const GLYPHS = {
    circle: "●", square: "■", diamond: "◆", "triangle-up": "▲", x: "✖", cross: "✚", "triangle-down": "▼", star: "★",
  };
  const symbolsOf = (run) => {
    if (now.colour !== "class" || !run.labels || run.count > MOST_SYMBOLS) return "circle";
    return Array.from(thinned(run, run.labels), (label) => map.symbols[label % map.symbols.length]);
  };
  const bare = () => ({
    margin: { l: 6, r: 6, t: 6, b: 6 }, dragmode: "pan", hovermode: "closest", showlegend: false, modebar: bar,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", uirevision: "kept",
    font: { family: "system-ui, sans-serif", size: 12, color: "#1f2933" },
  });
  const hiddenAxis = { visible: false, fixedrange: false };
  const drawMap = (slot) => {
    const run = runs[now.runs[slot]], frame = frameOf(run, now.tick);
    const trace = {
      type: hasWebGL ? "scattergl" : "scatter", mode: "markers", hoverinfo: "none",
      ...pointsOf(run, frame, undefined, 1),
      marker: { size: sizeFor(run.count), opacity: 0.85, symbol: symbolsOf(run), color: thinned(run, valuesOf(run, frame)), ...scaleOf() },
    };
    const layout = {
      ...bare(),
      xaxis: { ...hiddenAxis, range: [-2500, 68035] },
      yaxis: { ...hiddenAxis, range: [-2500, 68035], scaleanchor: "x" },
    };
    const element = thing(`map-${slot}`);
    Plotly.react(element, [trace], layout, { ...config, scrollZoom: true });
    if (!element.dataset.listens) {
      element.dataset.listens = "true";
      element.on("plotly_hover", (event) => tell(event, (point) => [runs[now.runs[slot]], point * (runs[now.runs[slot]].shown || 1)]));
      element.on("plotly_unhover", () => { thing("map-hover").hidden = true; });
    }
    element.dataset.tick = run.ticks[frame];
    const name = runs.length > 1 ? `${run.name}: ` : "";
    const few = run.shown ? ` This browser has no WebGL, so every ${run.shown}th node is drawn.` : "";
    thing(`map-says-${slot}`).textContent =
      `${name}${map.methods[now.method]} after tick ${run.ticks[frame].toLocaleString("en")}, ${run.count.toLocaleString("en")} nodes.${few}`;
  };
  const tell = (event, find) => {
    const [run, index] = find(event.points[0].pointNumber);
    if (index === undefined) return;
    const frame = frameOf(run, now.tick), found = run.statistics[frame];
    const round = (value) => (Number.isNaN(value) ? "-" : Number(value.toPrecision(3)).toString());
    const lines = [run.nodeNames ? run.nodeNames[index] : `node ${run.nodes[index]}`];
    if (run.classes) lines.push(nameOf(run, run.classes[index]));
    lines.push(`${run.degree[index]} in-neighbours`, `age ${found.age[index]}, ${found.wakes[index]} wakes`);
    lines.push(`staleness ${round(found.staleness[index])}, distance ${round(found.distance[index])}`);
    const box = thing("map-hover");
    box.textContent = lines.join("\n");
    box.hidden = false;
    const x = event.event.clientX, y = event.event.clientY;
    box.style.left = `${Math.min(x + 14, window.innerWidth - 210)}px`;
    box.style.top = `${Math.min(y + 14, window.innerHeight - 110)}px`;
  };
  const slots = () => (runs.length > 1 ? [0, 1] : [0]);
  let isMapDrawn = false;
  const drawMaps = () => {
    if (!runs.length) return;
    isMapDrawn = true;
    slots().forEach(drawMap);
  };
  const show = () => {
    thing("map-tick").textContent = now.tick.toLocaleString("en");
    thing("map-time").value = ticks.indexOf(now.tick);
    thing("map-time").setAttribute("aria-valuetext", `tick ${now.tick}`);
    if (isMapDrawn) drawMaps();
    colourNetwork();
  };
  const STEPS = 12;
  const glide = (from, to) => {
    const most = Math.max(...slots().map((slot) => runs[now.runs[slot]].count));
    now.tick = to;
    if (isCalm || most > 8000) return show();
    let step = 0;
    const one = () => {
      if (!timer) return show();
      step += 1;
      for (const slot of slots()) {
        const run = runs[now.runs[slot]];
        const points = pointsOf(run, frameOf(run, to), frameOf(run, from), step / STEPS);
        Plotly.restyle(thing(`map-${slot}`), { x: [points.x], y: [points.y] });
      }
      if (step < STEPS) requestAnimationFrame(one);
      else show();
    };
    requestAnimationFrame(one);
  };
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    thing("map-play").textContent = "▶ play";
    thing("map-play").setAttribute("aria-pressed", "false");
  };
  const play = () => {
    if (timer) return stop();
    thing("map-play").textContent = "❚❚ pause";
    thing("map-play").setAttribute("aria-pressed", "true");
    if (now.tick === ticks[ticks.length - 1]) { now.tick = ticks[0]; show(); }
    timer = setInterval(() => {
      const next = ticks[ticks.indexOf(now.tick) + 1];
      if (next === undefined) return stop();
      glide(now.tick, next);
    }, 900);
  };
  const choose = (id, options, chosen, act) => {
    const select = thing(id);
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, String(value) === String(chosen))));
    select.addEventListener("change", () => act(select.value));
  };
  const legend = () => {
    const box = thing("map-legend");
    box.hidden = now.colour !== "class" || !runs.some((run) => run.labels) || classes.length > MOST_CLASSES;
    if (box.hidden) return;
    const hasSymbols = runs.every((run) => run.count <= MOST_SYMBOLS);
    box.replaceChildren(...classNames.map((name, label) => {
      const button = document.createElement("button"), dot = document.createElement("i");
      button.type = "button";
      if (hasSymbols) {
        dot.dataset.glyph = GLYPHS[map.symbols[label % map.symbols.length]];
        dot.style.color = colourOf(label);
      } else dot.style.background = colourOf(label);
      button.append(dot, name);
      button.setAttribute("aria-pressed", String(!now.hidden.has(label)));
      button.addEventListener("click", () => {
        if (!now.hidden.delete(label)) now.hidden.add(label);
        button.setAttribute("aria-pressed", String(!now.hidden.has(label)));
        show();
      });
      return button;
    }));
  };
  if (runs.length && thing("map-run-0")) {
    now.tick = ticks[ticks.length - 1];
    now.method = Object.keys(runs[0].places)[0];
    const hasLabels = runs.some((run) => run.labels);
    now.colour = hasLabels ? "class" : "degree";
    const names = runs.map((run, index) => [index, run.name]);
    for (const slot of [0, 1]) {
      choose(`map-run-${slot}`, names, now.runs[slot], (value) => { now.runs[slot] = Number(value); show(); });
    }
    document.querySelectorAll(".whose").forEach((label) => { label.hidden = runs.length < 2; });
    thing("map-second").hidden = runs.length < 2;
    choose("map-method", Object.keys(runs[0].places).map((method) => [method, map.methods[method]]), now.method, (value) => { now.method = value; show(); });
    const statistics = Object.entries(STATISTICS).filter(([name]) => name !== "class" || hasLabels);
    choose("map-colour", statistics, now.colour, (value) => { now.colour = value; legend(); show(); });
    const slider = thing("map-time");
    slider.max = ticks.length - 1;
    slider.addEventListener("input", () => { stop(); now.tick = ticks[Number(slider.value)]; show(); });
    thing("map-play").addEventListener("click", play);
    thing("map-play").disabled = ticks.length < 2;
    legend();
  }

  /* ---- the network ---- */
  let isNetworkDrawn = false;
  const networkColours = () => {
    const run = runs[0], values = valuesOf(run, frameOf(run, now.tick));
    return Array.from(run.network.drawn, (node) => {
      const index = run.place.get(node);
      return index === undefined ? null : values[index];
    });
  };
  const drawNetwork = (element) => {
    if (!runs.length) return;
    const picture = runs[0].network, count = picture.drawn.length, links = picture.sources.length;
    const x = new Float32Array(3 * links).fill(NaN), y = new Float32Array(3 * links).fill(NaN);
    for (let link = 0; link < links; link++) {
      const ends = [picture.sources[link], picture.targets[link]];
      ends.forEach((end, place) => { x[3 * link + place] = picture.x[end]; y[3 * link + place] = picture.y[end]; });
    }
    const type = hasWebGL ? "scattergl" : "scatter";
    const opacity = Math.max(0.12, Math.min(0.6, 60 / Math.sqrt(links + 1)));
    const lines = { type, mode: "lines", x, y, hoverinfo: "skip", line: { color: `rgba(82,96,109,${opacity})`, width: 0.7 } };
    const nodes = {
      type, mode: "markers", x: picture.x, y: picture.y, hoverinfo: "none",
      marker: { size: Math.max(3, Math.min(10, 160 / Math.sqrt(count))), color: networkColours(), ...scaleOf() },
    };
    const layout = { ...bare(), xaxis: { ...hiddenAxis }, yaxis: { ...hiddenAxis, scaleanchor: "x" } };
    Plotly.newPlot(element, [lines, nodes], layout, { ...config, scrollZoom: true });
    element.on("plotly_hover", (event) => tell(event, (point) => [runs[0], runs[0].place.get(picture.drawn[point])]));
    element.on("plotly_unhover", () => { thing("map-hover").hidden = true; });
    isNetworkDrawn = true;
  };
  const colourNetwork = () => {
    if (!isNetworkDrawn) return;
    const scale = scaleOf(), marker = { color: [networkColours()] };
    const changed = Object.fromEntries(Object.entries({ ...marker, cmin: scale.cmin, cmax: scale.cmax, colorscale: [scale.colorscale], showscale: scale.showscale }).map(([name, value]) => [`marker.${name}`, value]));
    if (scale.colorbar) changed["marker.colorbar"] = [scale.colorbar];
    Plotly.restyle(thing("network-picture"), changed, [1]);
  };

  if (runs.length && thing("map-run-0")) show();
  plots.forEach((plot) => watch.observe(plot));
  /* the rest in idle time, so that a print or a copy of the page has all of it; a large map only when it is seen */
  const MOST_UNSEEN = 20000;
  const whenIdle = window.requestIdleCallback || ((act) => setTimeout(act, 50));
  const isLarge = (plot) => !page.figures[plot.id] && runs.some((run) => run.count > MOST_UNSEEN);
  const drawRest = () => {
    const next = plots.find((plot) => !drawn.has(plot.id) && !isLarge(plot));
    if (!next) return;
    draw(next);
    whenIdle(drawRest);
  };
  whenIdle(drawRest);
  window.addEventListener("beforeprint", () => { drawAll(); document.querySelectorAll("details").forEach((one) => { one.open = true; }); });
  window.drawAll = drawAll;
  document.documentElement.dataset.ready = "true";
})().catch((error) => {
  document.getElementById("too-old").hidden = false;
  document.getElementById("too-old").append(` (${error})`);
  console.error(error);
});
