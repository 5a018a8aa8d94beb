# Scenes in, perhaps a catalog out for each
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-09
    label: Scenes in, perhaps a catalog out for each
    doc: An index of each of several scenes, if they are wanted.
    requirements:
      ScatterFeatureRequirement: {}
      InlineJavascriptRequirement: {}
    inputs:
      scenes: {type: 'Directory[]', label: scenes, doc: scenes}
      wanted: {type: boolean, default: true, label: wanted, doc: whether to make it}
    outputs:
      found: {type: ['null', {type: array, items: Directory}], outputSource: index/found, pickValue: all_non_null}
    steps:
      index:
        run: '#index'
        scatter: scene
        when: $(inputs.wanted)
        in: {scene: scenes, wanted: wanted}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), index, ndvi, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
