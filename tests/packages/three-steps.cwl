cwlVersion: v1.2
$graph:
  - class: Workflow
    id: three-steps
    inputs: {text: string, code: {type: int, default: 0}}
    outputs: {last: {type: File, outputSource: third/out}}
    steps:
      first: {run: "#write", in: {text: text}, out: [out]}
      second: {run: "#exit", in: {file: first/out, code: code}, out: [out]}
      third: {run: "#copy", in: {file: second/out}, out: [out]}
  - class: CommandLineTool
    id: write
    baseCommand: echo
    inputs: {text: {type: string, inputBinding: {}}}
    stdout: text.txt
    outputs: {out: stdout}
  - class: CommandLineTool
    id: exit
    baseCommand: [sh, -c, 'cat "$0"; echo "one line" >&2; echo "this is why" >&2; exit $1']
    inputs:
      file: {type: File, inputBinding: {position: 1}}
      code: {type: int, inputBinding: {position: 2}}
    stdout: same.txt
    outputs: {out: stdout}
  - class: CommandLineTool
    id: copy
    baseCommand: cat
    inputs: {file: {type: File, inputBinding: {}}}
    stdout: last.txt
    outputs: {out: stdout}
