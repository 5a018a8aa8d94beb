# Its steps are named like the engine's own, and like each other's logs and folders.
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: own-names
    requirements: {SubworkflowFeatureRequirement: {}}
    inputs: {seed: File}
    outputs:
      first: {type: File, outputSource: stage_in/out}
      last: {type: File, outputSource: stage_out/out}
    steps:
      stage_in: {run: "#say", in: {seed: seed, word: {default: stage_in}}, out: [out]}
      crop: {run: "#say", in: {seed: stage_in/out, word: {default: crop}}, out: [out]}
      node_crop: {run: "#say", in: {seed: crop/out, word: {default: node_crop}}, out: [out]}
      crop.out: {run: "#say", in: {seed: node_crop/out, word: {default: crop.out}}, out: [out]}
      crop.in: {run: "#say", in: {seed: crop.out/out, word: {default: crop.in}}, out: [out]}
      nested: {run: "#inner", in: {seed: crop.in/out}, out: [out]}
      stage_out: {run: "#say", in: {seed: nested/out, word: {default: stage_out}}, out: [out]}
  - class: Workflow
    id: inner
    inputs: {seed: File}
    outputs: {out: {type: File, outputSource: stage_in/out}}
    steps:
      stage_in: {run: "#say", in: {seed: seed, word: {default: nested}}, out: [out]}
  - class: CommandLineTool
    id: say
    baseCommand: [sh, -c, 'echo "out of $0"; echo "log of $0" >&2; cat "$1" > said.txt; echo "$0" >> said.txt']
    inputs:
      word: {type: string, inputBinding: {position: 1}}
      seed: {type: File, inputBinding: {position: 2}}
    outputs: {out: {type: File, outputBinding: {glob: said.txt}}}
