// `unpanic serve` adds this script to each page. A page that wants to take a change itself cancels the event.
{
  const address = new URL("changes", document.currentScript.src);
  const open = () => {
    const source = new EventSource(address);
    let wasOpen = false;
    source.onopen = () => {
      // The server was started again: what changed meanwhile is not known.
      if (wasOpen) location.reload();
      wasOpen = true;
    };
    source.onmessage = ({ data }) => {
      const change = JSON.parse(data);
      const event = new CustomEvent("unpanic-change", { detail: change, cancelable: true });
      if (dispatchEvent(event) && change.kind === "reload") location.reload();
    };
  };
  open();
}
