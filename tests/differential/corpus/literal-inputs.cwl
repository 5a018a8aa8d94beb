# Files made of text go into tools and through expressions.
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {}}
inputs:
  given: {type: File, default: {class: File, basename: default.txt, contents: the default}}
outputs:
  passed: {type: File, outputSource: pass/out}
  read: {type: File, outputSource: read/out}
steps:
  pass:
    in:
      file: {valueFrom: '$({class: "File", basename: "made.txt", contents: "made"})'}
    out: [out]
    run:
      class: ExpressionTool
      inputs: {file: File}
      outputs: {out: File}
      expression: "$({out: inputs.file})"
  read:
    in: {files: {source: given, valueFrom: "$([self])"}}
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: cat
      inputs: {files: {type: "File[]", inputBinding: {}}}
      outputs: {out: stdout}
      stdout: read.txt
