// The page in a frame of the notebook; what it shows is told to Python as its link.
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "initlab";
  frame.style.cssText = "width:100%;border:0;border-radius:8px";
  frame.style.height = `${model.get("height")}px`;
  frame.srcdoc = model.get("html");
  const heard = (event) => {
    if (event.source !== frame.contentWindow || typeof event.data?.initlab !== "string") return;
    model.set("link", event.data.initlab);
    model.save_changes();
  };
  window.addEventListener("message", heard);
  el.append(frame);
  return () => window.removeEventListener("message", heard);
}

export default { render };
