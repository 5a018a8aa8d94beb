cwlVersion: v1.2
class: Workflow
requirements:
  InlineJavascriptRequirement: {}
  StepInputExpressionRequirement: {}
inputs:
  name: string
  file:
    type: File
    default:
      class: File
      basename: default.txt
      contents: by default
outputs:
  folder: {type: Directory, outputSource: make/folder}
  seen: {type: File, outputSource: see/seen}
  beside: {type: File, outputSource: look/seen}
steps:
  make:
    in: {name: name, file: file}
    out: [folder]
    run:
      class: ExpressionTool
      inputs: {name: string, file: File}
      outputs: {folder: Directory}
      expression: |
        ${
          console.log("made", inputs.name);
          return {folder: {class: "Directory", basename: inputs.name, listing: [
            {class: "File", basename: "a.txt", contents: "a\n"},
            inputs.file,
            {class: "Directory", basename: "inner", listing: [
              {class: "File", basename: "b.txt", contents: "b\n"}]}]}};
        }
  see:
    in: {folder: make/folder}
    out: [seen]
    run:
      class: CommandLineTool
      inputs: {folder: {type: Directory, inputBinding: {position: 1}}}
      outputs: {seen: stdout}
      stdout: seen.txt
      arguments: [sh, -c, 'cd "$1" && find . -type f -o -type l | sort | xargs -n 1 cat', sh]
  look:
    in:
      name: name
      folder:
        valueFrom: |
          ${
            return {class: "Directory", basename: inputs.name, listing: [
              {class: "File", basename: "c.txt", contents: "c\n"}]};
          }
    out: [seen]
    run:
      class: CommandLineTool
      inputs: {folder: {type: Directory, inputBinding: {position: 1}}}
      outputs: {seen: stdout}
      stdout: looked.txt
      arguments: [sh, -c, 'cd "$1" && find . -type f -o -type l | sort | xargs -n 1 cat', sh]
