# One scene in, several catalogs out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-05
    label: One scene in, several catalogs out
    doc: Several indices of one scene, by one tool.
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
    outputs:
      found: {type: 'Directory[]', outputSource: index/found}
    steps:
      index:
        run: '#index'
        in: {scene: scene}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), indices, "ndvi,ndwi"]
    outputs:
      found: {type: "Directory[]", outputBinding: {glob: [ndvi, ndwi]}}
