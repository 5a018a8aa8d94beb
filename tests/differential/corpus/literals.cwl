# An expression makes files and folders out of nothing; a tool reads them.
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}}
inputs: {text: string, file: File}
outputs:
  file: {type: File, outputSource: make/file}
  folder: {type: Directory, outputSource: make/folder}
  read: {type: File, outputSource: read/report}
steps:
  make:
    in: {text: text, file: file}
    out: [file, folder]
    run:
      class: ExpressionTool
      inputs: {text: string, file: File}
      outputs: {file: File, folder: Directory}
      expression: |
        ${
          function text(name) {
            return {class: "File", basename: name, contents: inputs.text + " in " + name};
          }
          return {
            file: text("made.txt"),
            folder: {
              class: "Directory",
              basename: "made",
              listing: [text("a.txt"), inputs.file,
                        {class: "Directory", basename: "inner", listing: [text("b.txt")]}]
            }
          };
        }
  read:
    in: {file: make/file, folder: make/folder}
    out: [report]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'cat "$0"; cd "$1"; find -L . -type f | LC_ALL=C sort | xargs cat']
      inputs:
        file: {type: File, inputBinding: {position: 1}}
        folder: {type: Directory, inputBinding: {position: 2}}
      outputs: {report: stdout}
      stdout: report.txt
