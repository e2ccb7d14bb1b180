//! Neural networks as data: layers, losses, one flat parameter buffer, lowering to an allocation-free plan, safetensors files
