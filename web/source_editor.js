// The editor of the Python source: CodeMirror with only the parts that the page needs.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

export class SourceEditor {
  /** Shows `source` in `place`; `run` is called at Ctrl-Enter. */
  constructor(place, source, run) {
    // CodeMirror asks the next command unless a command returns true.
    const runAndStop = () => {
      run();
      return true;
    };
    const extensions = [
      // This binding comes before the default keys, which would add a line. Tab leaves the editor, as everywhere on the
      // page.
      keymap.of([{ key: "Ctrl-Enter", mac: "Cmd-Enter", run: runAndStop }, ...historyKeymap, ...defaultKeymap]),
      history(),
      lineNumbers(),
      highlightActiveLine(),
      bracketMatching(),
      python(),
      indentUnit.of("    "),
      syntaxHighlighting(classHighlighter),
      EditorView.contentAttributes.of({ "aria-label": "Source of teller.py", tabindex: "0" }),
    ];
    this.view = new EditorView({ parent: place, state: EditorState.create({ doc: source, extensions }) });
  }

  get source() {
    return this.view.state.doc.toString();
  }

  set source(source) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: source } });
  }

  /** Marks the place of a syntax error, or removes the mark. */
  mark(problem) {
    this.view.dispatch(setDiagnostics(this.view.state, problem ? [this.#diagnostic(problem)] : []));
  }

  #diagnostic({ line, column, message }) {
    const { doc } = this.view.state;
    const row = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const from = Math.min(row.from + column - 1, row.to);
    return { from, to: Math.max(from, row.to), severity: "error", message };
  }
}
