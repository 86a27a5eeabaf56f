# style: comments and docstrings in Portuguese, Korean and Vietnamese, accented names
import numpy as np


def initialize_parameters_zeros(layers_dims):
    """Inicialização com zeros: não quebra a simetria."""
    parâmetros = {}
    for camada, saída in list(enumerate(layers_dims))[1:]:
        entrada = layers_dims[camada - 1]
        parâmetros[f"W{camada}"] = np.zeros((saída, entrada))
        parâmetros[f"b{camada}"] = np.zeros((saída, 1))
    return parâmetros


def initialize_parameters_random(layers_dims):
    """매우 큰 난수로 초기화합니다 (편향은 0)."""
    np.random.seed(3)  # 이 시드를 바꾸지 마세요
    매개변수 = {}
    for 층 in range(1, len(layers_dims)):
        매개변수[f"W{층}"] = np.random.randn(layers_dims[층], layers_dims[층 - 1]) * 10
        매개변수[f"b{층}"] = np.zeros((layers_dims[층], 1))
    return 매개변수


def initialize_parameters_he(layers_dims):
    """Khởi tạo theo He và cộng sự, 2015."""
    np.random.seed(3)
    tham_số = {}
    for lớp in range(1, len(layers_dims)):
        tham_số[f"W{lớp}"] = np.random.randn(layers_dims[lớp], layers_dims[lớp - 1]) * np.sqrt(2 / layers_dims[lớp - 1])
        tham_số[f"b{lớp}"] = np.zeros((layers_dims[lớp], 1))
    return tham_số
