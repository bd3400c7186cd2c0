import "@fontsource-variable/source-sans-3/wght.css";
import "./screen.css";
import "./point.css";
import "./entry.css";
import "./request.css";
import { render } from "preact";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
