cwlVersion: v1.0
$graph:
- class: CommandLineTool
  id: write
  baseCommand: printf
  inputs:
    word: {type: string, inputBinding: {valueFrom: $(self)$(inputs.suffix)}}
    suffix: string
  outputs: {line: stdout}
  stdout: $(inputs.word).txt
- class: ExpressionTool
  id: count
  requirements: [{class: InlineJavascriptRequirement}]
  inputs: {line: {type: File, inputBinding: {loadContents: true}}}
  outputs: {count: int}
  expression: "${ return {count: inputs.line.contents.length}; }"
