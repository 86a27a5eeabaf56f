# style: Chinese identifiers, comments and printed text; own argument name
import numpy as np

随机种子 = 3


def 生成参数(各层大小, 缩放, 全零=False):
    """按层生成权重 W 和偏置 b。"""
    np.random.seed(随机种子)
    参数 = {}
    for 层 in range(1, len(各层大小)):
        本层, 上一层 = 各层大小[层], 各层大小[层 - 1]
        if 全零:
            参数["W" + str(层)] = np.zeros((本层, 上一层))
        else:
            参数["W" + str(层)] = np.random.randn(本层, 上一层) * 缩放(上一层)
        参数["b" + str(层)] = np.zeros((本层, 1))
        # 使用断言确保数据格式是正确的
        assert 参数["W" + str(层)].shape == (本层, 上一层)
    return 参数


def initialize_parameters_zeros(各层大小):
    return 生成参数(各层大小, None, 全零=True)


def initialize_parameters_random(各层大小):
    return 生成参数(各层大小, lambda 上一层: 10)


def initialize_parameters_he(各层大小):
    return 生成参数(各层大小, lambda 上一层: np.sqrt(2 / 上一层))


parameters = initialize_parameters_he([2, 4, 1])
print("权重 W1 = " + str(parameters["W1"]))
print("偏置 b1 = " + str(parameters["b1"]))
