# Every tool notes in a folder outside the job that it has begun, so that a test can count.
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: resume
    requirements:
      ScatterFeatureRequirement: {}
      InlineJavascriptRequirement: {}
    inputs: {words: "string[]", notes: string, seed: File}
    outputs: {all: {type: File, outputSource: join/out}}
    steps:
      say: {run: "#say", scatter: word, in: {word: words, notes: notes, seed: seed}, out: [out]}
      count: {run: "#count", in: {files: say/out}, out: [number]}
      join: {run: "#join", in: {files: say/out, number: count/number, notes: notes}, out: [out]}
  - class: CommandLineTool
    id: say
    baseCommand: [sh, -c, 'echo x >> "$1/$0"; echo "about to say $0" >&2; sleep 0.05; cat "$2"; echo "$0"']
    inputs:
      word: {type: string, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
      seed: {type: File, inputBinding: {position: 3}}
    stdout: word.txt
    outputs: {out: stdout}
  - class: ExpressionTool
    id: count
    requirements: {InlineJavascriptRequirement: {}}
    inputs: {files: "File[]"}
    outputs: {number: int}
    expression: "${ return {number: inputs.files.length}; }"
  - class: CommandLineTool
    id: join
    baseCommand: [sh, -c, 'echo x >> "$1/join"; n=$0; shift; cat "$@"; echo "$n words"']
    inputs:
      number: {type: int, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
      files: {type: "File[]", inputBinding: {position: 3}}
    stdout: all.txt
    outputs: {out: stdout}
