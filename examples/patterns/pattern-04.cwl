# One scene in, two catalogs out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-04
    label: One scene in, two catalogs out
    doc: Two indices of one scene.
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
    outputs:
      ndvi: {type: Directory, outputSource: index/found}
      ndwi: {type: Directory, outputSource: water/found}
    steps:
      index:
        run: '#index'
        in: {scene: scene}
        out: [found]
      water:
        run: '#water'
        in: {scene: scene}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), index, ndvi, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}

  - class: CommandLineTool
    id: water
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), index, ndwi, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
