// Runs before the first paint (a classic script in the head): what cannot wait for the module.
import "./early";
import "./theme";

// What only scripts answer is shown from here on (frame.css); without them it is not there.
document.documentElement.classList.add("scripted");
