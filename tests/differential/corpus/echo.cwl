cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs:
  message: {type: string, default: hello, inputBinding: {position: 1}}
  count: {type: int?, inputBinding: {prefix: -n, separate: false, position: 2}}
outputs:
  said: stdout
stdout: said.txt
