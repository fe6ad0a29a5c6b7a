// Runs before the first paint (a classic script in the head): what cannot wait for the module.
import "./early";
import "./theme";
