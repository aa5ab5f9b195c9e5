(() => {
  const data = JSON.parse(document.getElementById("neurons").textContent);
  const plane = document.getElementById("plane"), slider = document.getElementById("moment");
  const clock = document.getElementById("clock"), play = document.getElementById("play");
  const add = (tag, attributes, parent) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return parent.appendChild(node);
  };
  const ink = "var(--ink)";
  if (data.levels.length) {
    for (const [level, at] of data.levels) {
      add("path", { d: `M-1.1 ${-at}H1.1`, stroke: "var(--rule)", "stroke-width": 0.003 }, plane);
      add("text", { x: -1.12, y: -at - 0.012, fill: "var(--faint)", "font-size": 0.06 }, plane).textContent = level;
    }
  } else {
    add("circle", { cx: 0, cy: 0, r: 1, fill: "none", stroke: ink, "stroke-width": 0.006 }, plane);
  }
  add("path", { d: "M-1.1 0H1.1M0 -1.1V1.1", stroke: "var(--rule)", "stroke-width": 0.005 }, plane);
  const views = data.views.map(view => ({
    ...view,
    nodes: view.x[0].map((_, j) => {
      const color = data.colors ? data.colors[j % data.colors.length] : view.color;
      const trail = add("path", { fill: "none", stroke: color, "stroke-width": 0.006, opacity: 0.4 }, plane);
      const mark = view.limit
        ? add("path", { d: "M-.03 -.03L.03 .03M-.03 .03L.03 -.03", stroke: color, "stroke-width": 0.012 }, plane)
        : add("circle", { r: 0.028, fill: "var(--paper)", stroke: color, "stroke-width": 0.012 }, plane);
      return { trail, mark };
    }),
  }));
  const nearest = (times, t) => {
    let best = 0;
    for (let i = 1; i < times.length; i++) if (Math.abs(times[i] - t) < Math.abs(times[best] - t)) best = i;
    return best;
  };
  const show = () => {
    const t = data.times[slider.value];
    clock.textContent = "t = " + Number(t.toPrecision(3));
    for (const view of views) {
      const now = nearest(view.times, t);
      view.nodes.forEach(({ trail, mark }, j) => {
        mark.setAttribute("transform", `translate(${view.x[now][j]} ${-view.y[now][j]})`);
        let d = "";
        for (let i = 0; i <= now; i++) d += `${i ? "L" : "M"}${view.x[i][j]} ${-view.y[i][j]}`;
        trail.setAttribute("d", d);
      });
    }
  };
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "Play"; };
  play.onclick = () => {
    if (timer) return stop();
    if (+slider.value >= +slider.max) slider.value = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      slider.value = +slider.value + 1;
      show();
      if (+slider.value >= +slider.max) stop();
    }, 50);
  };
  slider.max = data.times.length - 1;
  slider.value = slider.max;
  slider.oninput = () => { if (timer) stop(); show(); };
  show();
})();
