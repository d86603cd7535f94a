/* The structure of a case, drawn by 3Dmol.js: colour, iteration, which atoms, values under the pointer.

The page holds the numbers of all cases as JSON in #scenes, as report/scene.py packs them. */
"use strict";

(() => {
  const DECADES = { scale: 4, kept: 12 }; // of the colours, and of what is written
  const STEPS = 65535;
  const SIZE = [0.42, 0.4, 0.36, 0.3]; // radius by region, in r0
  const THICK = 2; // r0, of a structure that is cut open
  const HIDDEN = -1;
  const ZERO = "#d4d7dc"; // colour of a value that is zero

  const find = (id) => document.getElementById(id);
  const { regions, gradient, cases } = JSON.parse(find("scenes").textContent);
  const stage = find("stage");
  const tip = find("tip");
  let scene, atoms, viewer;

  const unpacked = (text, Kind) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Kind(bytes.buffer);
  };

  const opened = (packed) => ({
    ...packed,
    index: unpacked(packed.index, Uint32Array),
    element: unpacked(packed.element, Uint8Array),
    frames: packed.frames.map((frame) => ({
      ...frame,
      position: unpacked(frame.position, Uint16Array),
      region: unpacked(frame.region, Uint8Array),
      ...Object.fromEntries(
        Object.keys(packed.quantities).map((name) => [name, unpacked(frame[name], Uint16Array)]),
      ),
    })),
  });

  // decades below the largest value of all iterations
  const depth = (code) => DECADES.kept * (1 - (code - 1) / (STEPS - 1));
  const number = (value) => (value === 0 ? "0" : value.toPrecision(3).replace(/e([+-])(\d)$/, "e$10$2"));
  const valueOf = (name, code) => (code === 0 ? 0 : 10 ** (scene.quantities[name].top - depth(code)));
  const frame = () => scene.frames[Number(find("frame").value)];

  const colourOf = (at) => {
    const shown = frame();
    const name = find("colour").value;
    if (name === "region") return regions[shown.region[at]].colour;
    const code = shown[name][at];
    if (code === 0) return ZERO;
    const height = Math.max(0, 1 - depth(code) / DECADES.scale);
    return gradient[Math.round(height * (gradient.length - 1))];
  };

  const isShown = {
    all: () => true,
    cut: (at) => atoms[at].z < scene.cut + 0.25 * scene.r0,
    near: (at) => frame().region[at] <= 1,
    qm: (at) => frame().region[at] === 0,
  };

  const draw = () => {
    const shown = frame();
    const chosen = isShown[find("atoms").value];
    atoms.forEach((atom, at) => {
      [atom.x, atom.y, atom.z] = [0, 1, 2].map((axis) => shown.position[3 * at + axis] * scene.step);
      atom.drawn = chosen(at) ? shown.region[at] : HIDDEN;
    });
    viewer.setStyle({}, {});
    SIZE.forEach((size, drawn) => {
      const colorfunc = (atom) => colourOf(atom.at);
      viewer.setStyle({ drawn }, { sphere: { radius: size * scene.r0, colorfunc } });
    });
    viewer.setHoverable({}, true, showTip, hideTip);
    viewer.setClickable({}, true, showTip);
    viewer.render();
    explain();
  };

  const explain = () => {
    const shown = frame();
    const drawn = atoms.filter((atom) => atom.drawn !== HIDDEN).length;
    find("told").textContent =
      `iteration ${shown.k} of 0 to ${scene.frames.at(-1).k}: ${shown.counts[0]} QM atoms, ` +
      `estimated error ${number(shown.estimate)} Å`;
    const parts = [`${drawn} of ${scene.total} atoms are drawn.`];
    if (atoms.length < scene.total)
      parts.push(`The page holds the ${atoms.length} atoms nearest to the QM region, to stay small.`);
    if (scene.frames.length < scene.iterations)
      parts.push(`It holds ${scene.frames.length} of ${scene.iterations} iterations.`);
    parts.push(scene.dimension === 2 ? "Along the line of the defect it repeats without end." : "");
    find("count").textContent = parts.join(" ");
    find("legend").replaceChildren(...(find("colour").value === "region" ? swatches(shown) : bar()));
  };

  const made = (tag, kind, text = "") => {
    const element = document.createElement(tag);
    element.className = kind;
    element.textContent = text;
    return element;
  };

  const swatches = (shown) =>
    regions.map(({ name, colour }, region) => {
      const entry = made("span", "entry", `${name}: ${shown.counts[region]}`);
      const dot = made("i", "dot");
      dot.style.background = colour;
      entry.prepend(dot);
      return entry;
    });

  const bar = () => {
    const name = find("colour").value;
    const { label, unit, top } = scene.quantities[name];
    const title = made("span", "entry", `${label} (${unit})`);
    const scale = made("div", "scale");
    scale.style.background = `linear-gradient(to right, ${gradient.join(",")})`;
    for (let power = Math.ceil(top - DECADES.scale); power <= top; power++) {
      const tick = made("span", "tick", `1e${power}`);
      tick.style.left = `${100 * (1 - (top - power) / DECADES.scale)}%`;
      scale.append(tick);
    }
    const zero = made("span", "entry", "grey: zero, as on atoms that are held");
    return scene.hasZero[name] ? [title, scale, zero] : [title, scale];
  };

  const showTip = (atom) => {
    const shown = frame();
    const at = atom.at;
    const lines = [`atom ${scene.index[at]}, ${atom.elem}, ${regions[shown.region[at]].name}`];
    for (const [name, { label, unit }] of Object.entries(scene.quantities))
      lines.push(`${label}: ${number(valueOf(name, shown[name][at]))} ${unit}`);
    tip.replaceChildren(...lines.map((line) => made("div", "line", line)));
    tip.hidden = false;
  };
  const hideTip = () => (tip.hidden = true);

  const look = () => {
    const near = atoms.filter((atom) => frame().region[atom.at] <= 1).map((atom) => atom.serial);
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    viewer.zoomTo(near.length ? { serial: near } : {});
    if (find("atoms").value === "cut") viewer.rotate(-40, "x"); // a hole in the plane of the cut is seen from aside
    viewer.render();
  };

  const open = () => {
    scene = opened(cases[find("case").value]);
    scene.hasZero = Object.fromEntries(
      Object.keys(scene.quantities).map((name) => [name, scene.frames.some((each) => each[name].includes(0))]),
    );
    viewer.removeAllModels();
    const symbols = scene.species;
    atoms = Array.from(scene.index, (_, at) => ({
      at, serial: at, elem: symbols[scene.element[at]], x: 0, y: 0, z: 0, bonds: [], bondOrder: [],
    }));
    const model = viewer.addModel();
    model.addAtoms(atoms);
    atoms = model.selectedAtoms({});
    const last = scene.frames.length - 1;
    Object.assign(find("frame"), { max: last, value: last, disabled: last === 0 });
    hideTip();
    find("atoms").value = "all";
    draw();
    const heights = atoms.map((atom) => atom.z);
    const isThick = Math.max(...heights) - Math.min(...heights) > THICK * scene.r0;
    if (isThick) find("atoms").value = "cut"; // what is inside is hidden otherwise
    draw();
    look();
  };

  const begin = () => {
    try {
      viewer = $3Dmol.createViewer(stage, { backgroundColor: "#f6f7f9", hoverDuration: 60, orthographic: true, disableFog: true });
      if (!viewer) throw new Error("no viewer");
    } catch {
      stage.textContent = "The structure cannot be drawn: this browser has no WebGL. Open the file in OVITO.";
      return;
    }
    find("case").addEventListener("change", open);
    for (const id of ["colour", "atoms"]) find(id).addEventListener("change", draw);
    find("frame").addEventListener("input", draw);
    find("look").addEventListener("click", look);
    window.addEventListener("resize", () => viewer.resize());
    open();
    window.structure = { viewer, atoms: () => atoms, frame, valueOf }; // for the console
  };
  begin();
})();
