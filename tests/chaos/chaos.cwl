# Scatter, JavaScript, an expression tool and a folder of many files. Each tool notes its end outside the job.
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: chaos
    requirements:
      ScatterFeatureRequirement: {}
      StepInputExpressionRequirement: {}
      InlineJavascriptRequirement: {}
    inputs: {words: "string[]", notes: string, seed: File}
    outputs:
      said: {type: "File[]", outputSource: say/out}
      all: {type: File, outputSource: join/out}
      many: {type: Directory, outputSource: spread/out}
    steps:
      say:
        run: "#say"
        scatter: word
        in: {word: words, seed: seed, notes: notes, loud: {valueFrom: "${ return inputs.word.toUpperCase(); }"}}
        out: [out]
      count: {run: "#count", in: {files: say/out}, out: [number]}
      join: {run: "#join", in: {files: say/out, number: count/number, notes: notes}, out: [out]}
      spread: {run: "#spread", in: {number: count/number, notes: notes}, out: [out]}
  - class: CommandLineTool
    id: say
    baseCommand: [sh, -c, 'sleep 0.2; cat "$2"; echo "$0"; echo x >> "$1/$0"']
    requirements: {InlineJavascriptRequirement: {}}
    inputs:
      loud: {type: string, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
      seed: {type: File, inputBinding: {position: 3}}
      word: string
    stdout: "$(inputs.word + '.txt')"
    outputs: {out: stdout}
  - class: ExpressionTool
    id: count
    requirements: {InlineJavascriptRequirement: {}}
    inputs: {files: "File[]"}
    outputs: {number: int}
    expression: "${ return {number: inputs.files.length}; }"
  - class: CommandLineTool
    id: join
    baseCommand: [sh, -c, 'n=$0; notes=$1; shift; cat "$@"; echo "$n words"; echo x >> "$notes/join"']
    inputs:
      number: {type: int, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
      files: {type: "File[]", inputBinding: {position: 3}}
    stdout: all.txt
    outputs: {out: stdout}
  - class: CommandLineTool
    id: spread
    baseCommand: [sh, -c, 'mkdir -p many/deep; for n in $(seq 150); do echo "$n of $0" > many/$n.txt; echo "$n" > many/deep/$n.txt; done; echo x >> "$1/spread"']
    inputs:
      number: {type: int, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
    outputs: {out: {type: Directory, outputBinding: {glob: many}}}
