cwlVersion: v1.2
$namespaces:
  s: https://schema.org/
s:softwareVersion: 1.4.1

$graph:
  - class: Workflow
    id: water-bodies
    label: Water bodies detection
    doc: >-
      Detects water bodies in STAC items: the normalized difference of green and near infrared,
      told apart by Otsu's threshold, for an area of interest.
    requirements:
      ScatterFeatureRequirement: {}
      SubworkflowFeatureRequirement: {}
    inputs:
      stac_items:
        type: string[]
        label: STAC items
        doc: Paths or URLs of STAC items with an asset for each of the bands
      aoi:
        type: string
        label: area of interest
        doc: A bounding box as minx,miny,maxx,maxy
      epsg:
        type: string
        default: EPSG:4326
        label: EPSG code
        doc: The coordinate reference system of the area of interest
      bands:
        type: string[]
        default: [green, nir]
        label: bands
        doc: The common names of two bands, green first
    outputs:
      stac_catalog:
        type: Directory
        label: water bodies
        doc: A STAC catalog with one water mask for each item
        outputSource: node_stac/stac_catalog
    steps:
      node_water_bodies:
        run: "#detect_water_body"
        scatter: item
        in:
          item: stac_items
          aoi: aoi
          epsg: epsg
          bands: bands
        out: [water_mask]
      node_stac:
        run: "#stac"
        in:
          items: stac_items
          rasters: node_water_bodies/water_mask
        out: [stac_catalog]

  - class: Workflow
    id: detect_water_body
    label: Water body detection
    doc: Detects the water bodies in one STAC item
    requirements:
      ScatterFeatureRequirement: {}
    inputs:
      item: string
      aoi: string
      epsg: string
      bands: string[]
    outputs:
      water_mask:
        type: File
        outputSource: node_otsu/mask
    steps:
      node_crop:
        run: "#crop"
        scatter: band
        in:
          item: item
          aoi: aoi
          epsg: epsg
          band: bands
        out: [cropped]
      node_normalized_difference:
        run: "#norm_diff"
        in:
          rasters: node_crop/cropped
        out: [difference]
      node_otsu:
        run: "#otsu"
        in:
          raster: node_normalized_difference/difference
        out: [mask]

  - class: CommandLineTool
    id: crop
    label: Cuts a band of a STAC item to the area of interest
    requirements:
      NetworkAccess:
        networkAccess: true
      ResourceRequirement:
        coresMax: 1
        ramMax: 512
    hints:
      DockerRequirement:
        dockerPull: localhost/water-bodies
    baseCommand: [python3]
    inputs:
      script:
        type: File
        default:
          class: File
          location: tools/crop.py
        inputBinding:
          position: 0
      item:
        type: string
        inputBinding: {position: 1, prefix: --item=, separate: false}
      band:
        type: string
        inputBinding: {position: 1, prefix: --band=, separate: false}
      aoi:
        type: string
        inputBinding: {position: 1, prefix: --aoi=, separate: false}
      epsg:
        type: string
        inputBinding: {position: 1, prefix: --epsg=, separate: false}
    outputs:
      cropped:
        type: File
        outputBinding:
          glob: crop_$(inputs.band).tif

  - class: CommandLineTool
    id: norm_diff
    label: Computes the normalized difference of two bands
    requirements:
      ResourceRequirement:
        coresMax: 1
        ramMax: 512
    hints:
      DockerRequirement:
        dockerPull: localhost/water-bodies
    baseCommand: [python3]
    inputs:
      script:
        type: File
        default:
          class: File
          location: tools/norm_diff.py
        inputBinding:
          position: 0
      rasters:
        type: File[]
        inputBinding: {position: 1}
    outputs:
      difference:
        type: File
        outputBinding:
          glob: norm_diff.tif

  - class: CommandLineTool
    id: otsu
    label: Tells water from land by Otsu's threshold
    requirements:
      ResourceRequirement:
        coresMax: 1
        ramMax: 512
    hints:
      DockerRequirement:
        dockerPull: localhost/water-bodies
    baseCommand: [python3]
    inputs:
      script:
        type: File
        default:
          class: File
          location: tools/otsu.py
        inputBinding:
          position: 0
      raster:
        type: File
        inputBinding: {position: 1}
    outputs:
      mask:
        type: File
        outputBinding:
          glob: otsu.tif

  - class: CommandLineTool
    id: stac
    label: Puts the water masks into a STAC catalog
    requirements:
      NetworkAccess:
        networkAccess: true
      ResourceRequirement:
        coresMax: 1
        ramMax: 512
    hints:
      DockerRequirement:
        dockerPull: localhost/water-bodies
    baseCommand: [python3]
    inputs:
      script:
        type: File
        default:
          class: File
          location: tools/stac.py
        inputBinding:
          position: 0
      items:
        type:
          type: array
          items: string
          inputBinding: {prefix: --item=, separate: false}
        inputBinding: {position: 1}
      rasters:
        type:
          type: array
          items: File
          inputBinding: {prefix: --raster=, separate: false}
        inputBinding: {position: 1}
    outputs:
      stac_catalog:
        type: Directory
        outputBinding:
          glob: .
