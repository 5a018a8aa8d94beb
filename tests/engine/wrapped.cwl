# A package as cwl-wrapper makes it: "main" stages a scene in, runs "bright", and stages its catalog out.
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: main
    label: macro-cwl
    requirements: {SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}}
    inputs: {scenes: "string[]", threshold: float, STAGEOUT_OUTPUT: string, process: string}
    outputs:
      StacCatalogUri: {type: string, outputSource: node_stage_out/StacCatalogUri}
    steps:
      node_stage_in: {run: "#stage-in", scatter: input, in: {input: scenes}, out: [scenes_out]}
      on_stage: {run: "#bright", in: {scenes: node_stage_in/scenes_out, threshold: threshold}, out: [catalog]}
      node_stage_out:
        run: "#stage-out"
        in: {wf_outputs: on_stage/catalog, STAGEOUT_OUTPUT: STAGEOUT_OUTPUT, process: process}
        out: [StacCatalogUri]
  - class: Workflow
    id: bright
    inputs: {scenes: "Directory[]", threshold: float}
    outputs: {catalog: {type: Directory, outputSource: take/out}}
    steps: {take: {run: "#take", in: {scenes: scenes, threshold: threshold}, out: [out]}}
  - class: CommandLineTool
    id: take
    baseCommand: [sh, -c, 'mkdir out; cp -RL "$0"/. out; echo "$1" > out/said.txt']
    inputs:
      scenes: {type: "Directory[]", inputBinding: {position: 1}}
      threshold: {type: float, inputBinding: {position: 2}}
    outputs: {out: {type: Directory, outputBinding: {glob: out}}}
  - class: CommandLineTool
    id: stage-in
    baseCommand: [sh, -c, 'cp "$0" item.json; echo own > catalog.txt']
    inputs: {input: {type: string, inputBinding: {}}}
    outputs: {scenes_out: {type: Directory, outputBinding: {glob: .}}}
  - class: CommandLineTool
    id: stage-out
    requirements: {InlineJavascriptRequirement: {}}
    baseCommand: [test, -e]
    arguments: [$(inputs.wf_outputs.path)/catalog.txt]
    inputs: {wf_outputs: Directory, STAGEOUT_OUTPUT: string, process: string}
    outputs:
      StacCatalogUri:
        type: string
        outputBinding: {outputEval: "s3://$(inputs.STAGEOUT_OUTPUT)/$(inputs.process)/catalog.json"}
