// Starts `rnet lsp` for .rnet files. Without the client library there is highlighting alone.
"use strict";

let client;

function activate() {
  const vscode = require("vscode");
  let library;
  try {
    library = require("vscode-languageclient/node");
  } catch {
    return undefined;
  }
  const settings = vscode.workspace.getConfiguration("rnet");
  client = new library.LanguageClient(
    "rnet",
    "rnet",
    { command: settings.get("path"), args: ["lsp"] },
    {
      documentSelector: [{ language: "rnet" }],
      initializationOptions: { includePaths: settings.get("includePaths") },
    },
  );
  return client.start();
}

function deactivate() {
  return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
