cwlVersion: v1.2
class: Workflow
inputs: {file: File}
outputs: {shouted: {type: File, outputSource: shout/out}}
steps:
  shout:
    in: {text: file}
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: [tr, a-z, A-Z]
      inputs: {text: stdin}
      outputs: {out: stdout}
      stdout: shouted.txt
