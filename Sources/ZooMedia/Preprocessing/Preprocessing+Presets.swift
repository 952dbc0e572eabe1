// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Preprocessing {
    /// `VJEPA2VideoProcessor` of transformers: short side to `crop * 256 / 224`, torchvision's
    /// bilinear with antialias, centre.
    ///
    /// Source: huggingface/transformers `models/vjepa2/video_processing_vjepa2.py`.
    public static func vjepa2Processor(crop: Int = 256) -> Preprocessing {
        Preprocessing(
            resize: .shortSide(enlarged(crop)),
            resampling: .bytes(.torchvisionBilinear),
            crop: .centre(width: crop, height: crop, rounding: .down)
        )
    }

    /// Meta's video evaluation with one view: as above, with OpenCV's bilinear.
    ///
    /// Source: facebookresearch/vjepa2 `evals/video_classification_frozen/utils.py`
    /// (`VideoTransform.eval_transform`) over frames as numpy arrays.
    public static func metaVideo(crop: Int = 256) -> Preprocessing {
        Preprocessing(
            resize: .shortSide(enlarged(crop)),
            resampling: .bytes(.openCVLinear),
            crop: .centre(width: crop, height: crop, rounding: .halfToEven)
        )
    }

    /// Meta's video evaluation with several views: short side to `crop`, squares along the other.
    ///
    /// Source: facebookresearch/vjepa2 `evals/video_classification_frozen/utils.py`
    /// (`EvalVideoTransform`).
    public static func metaVideoViews(crop: Int = 256, count: Int = 3) -> Preprocessing {
        Preprocessing(
            resize: .shortSide(crop),
            resampling: .bytes(.openCVLinear),
            crop: .views(side: crop, count: count)
        )
    }

    /// Meta's image evaluation: short side to `crop * 256 / 224`, Pillow's bilinear, centre.
    ///
    /// Images are read as stored, since `torchvision.datasets.ImageFolder` does not look at EXIF.
    ///
    /// Source: facebookresearch/vjepa2 `evals/image_classification_frozen/eval.py`.
    public static func metaImage(crop: Int = 256) -> Preprocessing {
        Preprocessing(
            resize: .shortSide(enlarged(crop)),
            resampling: .bytes(.pillowBilinear),
            crop: .centre(width: crop, height: crop, rounding: .halfToEven),
            orientation: .stored
        )
    }

    /// `ViTImageProcessor` of transformers as its I-JEPA repositories configure it: the whole
    /// image to a square, torchvision's bilinear with antialias, mean and std 0.5.
    ///
    /// Source: huggingface/transformers `models/ijepa/convert_ijepa_to_hf.py`,
    /// `models/vit/image_processing_vit.py`. The models were trained with ImageNet's statistics.
    public static func ijepaProcessor(side: Int = 224) -> Preprocessing {
        Preprocessing(
            resize: .exact(width: side, height: side),
            resampling: .bytes(.torchvisionBilinear),
            crop: .none,
            mean: [0.5, 0.5, 0.5],
            std: [0.5, 0.5, 0.5]
        )
    }

    /// V-JEPA 2-AC: the whole image to a square, as floats, without antialias.
    ///
    /// Source: facebookresearch/vjepa2 `app/vjepa_droid/transforms.py` with scale and ratio 1. An
    /// image that is not square is cropped there at random; here all of it is kept.
    public static func vjepa2AC(side: Int = 256) -> Preprocessing {
        Preprocessing(
            resize: .exact(width: side, height: side),
            resampling: .floats(antialias: false),
            crop: .none
        )
    }

    /// LeWM: normalised, then resized to a square with antialias.
    public static func leWM(side: Int = 224) -> Preprocessing {
        Preprocessing(
            resize: .exact(width: side, height: side),
            resampling: .normalisedFloats(antialias: true),
            crop: .none
        )
    }

    /// JEPA-WM: the whole image to a square, as floats, without antialias, ImageNet statistics.
    ///
    /// Source: facebookresearch/jepa-wms `app/plan_common/datasets/transforms.py`.
    public static func jepaWM(side: Int = 224) -> Preprocessing {
        Preprocessing(
            resize: .exact(width: side, height: side),
            resampling: .floats(antialias: false),
            crop: .none
        )
    }

    /// DINO-WM: as JEPA-WM, with mean and std 0.5.
    public static func dinoWM(side: Int = 224) -> Preprocessing {
        var preprocessing = jepaWM(side: side)
        preprocessing.mean = [0.5, 0.5, 0.5]
        preprocessing.std = [0.5, 0.5, 0.5]
        return preprocessing
    }

    /// The size that a crop is cut from: `int(crop * 256 / 224)`.
    private static func enlarged(_ crop: Int) -> Int { crop * 256 / 224 }
}
