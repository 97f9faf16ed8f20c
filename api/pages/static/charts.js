// Curves: RTT as a smoke band with loss as a strip under it, traffic mirrored with the contract as a line. Okabe-Ito colours.
// ECharts is loaded when the first curve comes near the screen; the same data stand in a table and as CSV.
"use strict";
(() => {
  const library = document.currentScript.dataset.echarts;
  const zone = document.body.dataset.zone || "Asia/Shanghai";
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const blue = "#0072B2", sky = "#56B4E9", orange = "#E69F00", vermilion = "#D55E00", green = "#009E73", purple = "#CC79A7";
  const drawn = [];
  const cache = new Map();

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const three = (value) => Number(value.toPrecision(3)).toString();
  const bits = (value) => value === null || value === undefined ? "–" : value >= 1e9 ? three(value / 1e9) + " G" : value >= 1e6 ? three(value / 1e6) + " M" : value >= 1e3 ? three(value / 1e3) + " k" : value.toFixed(0) + " ";
  const ms = (value) => value === null || value === undefined ? "–" : (value * 1000).toFixed(value < 0.01 ? 2 : 1);
  const share = (value) => value === null || value === undefined ? "–" : (value * 100).toFixed(value && value < 0.1 ? 1 : 0) + " %";

  let loading = null;
  function load() {
    loading = loading || new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = library;
      script.onload = done;
      script.onerror = fail;
      document.head.append(script);
    });
    return loading;
  }

  function fetchCurve(device, port) {
    const url = "/api/v1/curves?" + new URLSearchParams(port ? { device, port } : { device });
    if (!cache.has(url)) {
      cache.set(url, fetch(url, { headers: { "X-Refresh": "1" } }).then((answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.json();
      }));
    }
    return cache.get(url).then((body) => ({ csv: url.replace("/curves?", "/curves.csv?"), ...body.columns }));
  }

  function base() {
    const ink = style("--soft"), line = style("--hair");
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: style("--raise"), borderColor: style("--line"),
        textStyle: { color: style("--ink"), fontSize: 12 }, axisPointer: { type: "line", lineStyle: { color: ink, type: "dotted" } },
      },
      axisLabel: { color: ink, fontSize: 11 },
      splitLine: { lineStyle: { color: line } },
    };
  }

  function timeAxis(at, common, more) {
    return {
      type: "category", data: at, boundaryGap: false, axisTick: { show: false }, axisLine: { lineStyle: { color: style("--line") } },
      axisLabel: { ...common.axisLabel, interval: (index) => { const time = clock.format(at[index] * 1000); return time.endsWith(":00") && Number(time.slice(0, 2)) % 4 === 0; }, formatter: (value) => clock.format(value * 1000) }, ...more,
    };
  }

  function drawRtt(box, data, words) {
    const [median, band, loss] = words;
    const at = data.at, low = data.rtt_p5_seconds, high = data.rtt_p95_seconds, middle = data.rtt_median_seconds, lost = data.loss_ratio;
    const common = base();
    const thickness = high.map((value, index) => value === null || low[index] === null ? null : value - low[index]);
    const tint = (value) => value === null ? "transparent" : value === 0 ? (dark() ? "#1f5a45" : "#bfe3d6") : value < 0.02 ? sky : value < 0.1 ? orange : vermilion;
    return {
      ...common, grid: [{ left: 46, right: 10, top: 14, bottom: 46 }, { left: 46, right: 10, height: 10, bottom: 26 }],
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      xAxis: [timeAxis(at, common, { axisLabel: { show: false } }), timeAxis(at, common, { gridIndex: 1, axisLine: { show: false }, boundaryGap: false })],
      yAxis: [
        { type: "value", min: 0, name: "ms", nameTextStyle: { ...common.axisLabel, align: "right", padding: [0, 8, 0, 0] }, nameGap: 2, splitNumber: 3, axisLabel: { ...common.axisLabel, formatter: (value) => String(Number((value * 1000).toFixed(3))) }, splitLine: common.splitLine },
        { type: "value", gridIndex: 1, min: 0, max: 1, show: false },
      ],
      tooltip: { ...common.tooltip, formatter: (points) => { const index = points[0].dataIndex; return `${clock.format(at[index] * 1000)}\n${median} ${ms(middle[index])} ms\n${band} ${ms(low[index])} – ${ms(high[index])} ms\n${loss} ${share(lost[index])}`; } },
      series: [
        { type: "line", data: low, stack: "smoke", symbol: "none", lineStyle: { opacity: 0 }, silent: true },
        { type: "line", data: thickness, stack: "smoke", symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color: blue, opacity: dark() ? 0.34 : 0.2 }, silent: true },
        { type: "line", data: middle, symbol: "none", lineStyle: { color: dark() ? sky : blue, width: 1.6 }, itemStyle: { color: blue } },
        { type: "bar", data: lost.map((value) => ({ value: value === null ? null : 1, itemStyle: { color: tint(value) } })), xAxisIndex: 1, yAxisIndex: 1, barCategoryGap: "-2%", silent: true },
      ],
    };
  }

  function drawTraffic(box, data, words) {
    const [into, out, contractWord] = words;
    const at = data.at, common = base();
    const contract = Number(box.dataset.contract) * 1e6;
    const mark = contract ? { silent: true, symbol: "none", label: { show: true, position: "insideEndTop", color: style("--soft"), fontSize: 11, formatter: (point) => point.value > 0 ? contractWord + " " + bits(contract) : "" }, lineStyle: { color: vermilion, type: "dashed", width: 1.2 }, data: [{ yAxis: contract }, { yAxis: -contract }] } : undefined;
    const peak = Math.max(contract, ...data.in_bps.map((value) => value || 0)) * 1.08 || 1;
    const trough = Math.max(contract, ...data.out_bps.map((value) => value || 0)) * 1.08 || 1;
    return {
      ...common, grid: { left: 46, right: 10, top: 14, bottom: 26 }, xAxis: timeAxis(at, common, { axisLine: { onZero: true, lineStyle: { color: style("--soft") } }, axisLabel: { ...timeAxis(at, common).axisLabel, margin: 8 }, axisPointer: {} , position: "bottom", offset: 0 }),
      yAxis: { type: "value", name: "bit/s", nameTextStyle: { ...common.axisLabel, align: "right", padding: [0, 8, 0, 0] }, nameGap: 2, min: -trough, max: peak, axisLabel: { ...common.axisLabel, showMinLabel: false, showMaxLabel: false, formatter: (value) => bits(Math.abs(value)) }, splitLine: common.splitLine },
      tooltip: { ...common.tooltip, formatter: (points) => { const index = points[0].dataIndex; return `${clock.format(at[index] * 1000)}\n${into} ${bits(data.in_bps[index])}bit/s\n${out} ${bits(data.out_bps[index])}bit/s`; } },
      series: [
        { type: "line", data: data.in_bps, symbol: "none", lineStyle: { color: green, width: 1.4 }, areaStyle: { color: green, opacity: dark() ? 0.36 : 0.24 }, markLine: mark },
        { type: "line", data: data.out_bps.map((value) => value === null ? null : -value), symbol: "none", lineStyle: { color: purple, width: 1.4 }, areaStyle: { color: purple, opacity: dark() ? 0.36 : 0.24 } },
      ],
    };
  }

  // The same data for those who cannot see the curve: one row an hour, and a file with all of it.
  function fillTable(box, data, words) {
    const holder = box.parentElement.querySelector("[data-table] .scroll");
    if (!holder) return;
    const rtt = box.dataset.curve === "rtt";
    const table = document.createElement("table");
    table.className = "table slim";
    const head = rtt ? ["", words[0] + " (ms)", words[1] + " (ms)", words[2]] : ["", words[0] + " (bit/s)", words[1] + " (bit/s)"];
    const row = (cells, tag) => { const line = document.createElement("tr"); for (const [index, cell] of cells.entries()) { const one = document.createElement(index === 0 && tag === "td" ? "th" : tag); one.textContent = cell; one.scope = index === 0 && tag === "td" ? "row" : tag === "th" ? "col" : ""; if (index) one.className = "num"; line.append(one); } return line; };
    const body = document.createElement("tbody");
    data.at.forEach((at, index) => {
      if (!clock.format(at * 1000).endsWith(":00")) return;
      body.append(row(rtt ? [clock.format(at * 1000), ms(data.rtt_median_seconds[index]), ms(data.rtt_p5_seconds[index]) + " – " + ms(data.rtt_p95_seconds[index]), share(data.loss_ratio[index])] : [clock.format(at * 1000), bits(data.in_bps[index]), bits(data.out_bps[index])], "td"));
    });
    const top = document.createElement("thead");
    top.append(row(head, "th"));
    table.append(top, body);
    const file = document.createElement("a");
    file.href = data.csv;
    file.textContent = "CSV";
    file.download = "";
    holder.replaceChildren(file, table);
  }

  function percentile(values) {
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    return known.length ? known[Math.min(known.length - 1, Math.ceil(known.length * 0.95) - 1)] : null;
  }

  async function show(box) {
    const words = box.dataset.words.split("|");
    const note = box.querySelector(".skeleton");
    try {
      const data = await fetchCurve(box.dataset.device, box.dataset.port);
      const values = box.dataset.curve === "rtt" ? data.loss_ratio : data.in_bps;
      fillTable(box, data, words);
      if (!values || !values.some((value) => value !== null)) { note.textContent = words[3]; return; }
      await load();
      note.remove();
      const chart = window.echarts.init(box);
      const draw = () => chart.setOption(box.dataset.curve === "rtt" ? drawRtt(box, data, words) : drawTraffic(box, data, words), true);
      draw();
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", box.parentElement.querySelector("h2").textContent);
      drawn.push({ chart, draw });
    } catch (error) {
      note.textContent = words[3];
    }
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); show(entry.target); }
  }, { rootMargin: "200px" });
  for (const box of document.querySelectorAll("[data-curve]")) watcher.observe(box);

  for (const place of document.querySelectorAll("[data-percentile]")) {
    if (!place.dataset.percentile) continue;
    fetchCurve(place.dataset.percentile, place.dataset.port).then((data) => {
      const inClass = data.in_bps.filter((_, index) => { const time = clock.format(data.at[index] * 1000); return time >= "07:30" && time <= "18:30"; });
      const value = percentile(inClass);
      place.textContent = value === null ? "–" : bits(value) + "bit/s";
    }).catch(() => {});
  }

  const redraw = () => { for (const { draw } of drawn) draw(); };
  document.addEventListener("themechange", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("resize", () => { for (const { chart } of drawn) chart.resize(); });
})();
