"""Notebooks of the lesson in the forms that public copies have, written from its facts.

A form is a function that returns `(file name, content, companions)`: content is a
notebook as a dictionary or a script as text; companions are files beside it.
"""

import copy
import json

import nbformat

STEPS = 2001  # costs at 0, 1000 and 2000

IMPORTS = """import numpy as np
import matplotlib.pyplot as plt
import sklearn
import sklearn.datasets
from init_utils import sigmoid, relu, compute_loss, forward_propagation
from init_utils import backward_propagation, update_parameters, predict
from init_utils import load_dataset, plot_decision_boundary, predict_dec

%matplotlib inline
plt.rcParams['figure.figsize'] = (7.0, 4.0)
train_X, train_Y, test_X, test_Y = load_dataset()
"""

MODEL = """def model(X, Y, learning_rate = 0.01, num_iterations = STEPS, print_cost = True, initialization = "he"):
    grads = {}
    costs = []
    layers_dims = [X.shape[0], 10, 5, 1]
    if initialization == "zeros":
        parameters = initialize_parameters_zeros(layers_dims)
    elif initialization == "random":
        parameters = initialize_parameters_random(layers_dims)
    elif initialization == "he":
        parameters = initialize_parameters_he(layers_dims)
    for i in range(0, num_iterations):
        a3, cache = forward_propagation(X, parameters)
        cost = compute_loss(a3, Y)
        grads = backward_propagation(X, Y, cache)
        parameters = update_parameters(parameters, grads, learning_rate)
        if print_cost and i % 1000 == 0:
            print("Cost after iteration {}: {}".format(i, cost))
            costs.append(cost)
    plt.plot(costs)
    plt.ylabel('cost')
    plt.xlabel('iterations (per hundreds)')
    plt.show()
    return parameters
""".replace("STEPS", str(STEPS))  # noqa: E501


def initializer(kind):
    draws = {
        "zeros": "np.zeros((layers_dims[l], layers_dims[l-1]))",
        "random": "np.random.randn(layers_dims[l], layers_dims[l-1]) * 10",
        "he": "np.random.randn(layers_dims[l], layers_dims[l-1]) "
        "* np.sqrt(2. / layers_dims[l-1])",
    }
    seed = "" if kind == "zeros" else "    np.random.seed(3)\n"
    return (
        f"def initialize_parameters_{kind}(layers_dims):\n{seed}"
        "    parameters = {}\n"
        "    for l in range(1, len(layers_dims)):\n"
        f"        parameters['W' + str(l)] = {draws[kind]}\n"
        "        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))\n"
        "    return parameters\n"
    )


def example(kind):
    sizes = "[2, 4, 1]" if kind == "he" else "[3, 2, 1]"
    return f"parameters = initialize_parameters_{kind}({sizes})\n" + "".join(
        f'print("{name} = " + str(parameters["{name}"]))\n'
        for name in ("W1", "b1", "W2", "b2")
    )


def training(kind):
    return (
        f'parameters = model(train_X, train_Y, initialization = "{kind}")\n'
        'print ("On the train set:")\n'
        "predictions_train = predict(train_X, train_Y, parameters)\n"
        'print ("On the test set:")\n'
        "predictions_test = predict(test_X, test_Y, parameters)\n"
    )


BOUNDARY = """plt.title("Model")
axes = plt.gca()
axes.set_xlim([-1.5,1.5])
axes.set_ylim([-1.5,1.5])
plot_decision_boundary(lambda x: predict_dec(parameters, x.T), train_X, train_Y)
"""


def cells_2017():
    cells = [IMPORTS, MODEL]
    for kind in ("zeros", "random", "he"):
        cells += [initializer(kind), example(kind), training(kind), BOUNDARY]
    return [*cells, 'print("predictions = " + str(predictions_test))']


def notebook(cells, *, kernel="python3", minor=2):
    metadata = {
        "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"},
        "language_info": {"name": "python"},
    }
    code = [
        {
            "cell_type": "code",
            "metadata": {},
            "source": source.splitlines(keepends=True),
            "outputs": [],
            "execution_count": None,
        }
        for source in cells
    ]
    text = {"cell_type": "markdown", "metadata": {}, "source": ["# Initialization\n"]}
    return {
        "cells": [text, *code],
        "metadata": metadata if kernel else {},
        "nbformat": 4,
        "nbformat_minor": minor,
    }


def english_of_2017():
    return "Initialization.ipynb", notebook(cells_2017()), {}


def newer_of_2021():
    cells = cells_2017()
    cells[0] = cells[0].replace(
        "%matplotlib inline",
        "from public_tests import *\n%matplotlib inline\n%load_ext autoreload\n"
        "%autoreload 2",
    )
    for position, kind in ((3, "zeros"), (7, "random"), (11, "he")):
        name = f"initialize_parameters_{kind}"
        cells[position] += f"{name}_test({name})\n"
    return "Initialization.ipynb", notebook(cells, minor=4), {}


OWN_INIT_UTILS = """import h5py
import numpy as np
from initlab.lesson.modules import init_utils as theirs
from initlab.lesson.modules.init_utils import *

print("own init_utils")

def predict(X, y, parameters):
    p = np.zeros((1, X.shape[1]), dtype=np.int)
    a3, caches = forward_propagation(X, parameters)
    p[a3 > 0.5] = 1
    print("Accuracy: " + str(np.mean((p[0, :] == y[0, :]), dtype=np.float)))
    return p
"""

OWN_PUBLIC_TESTS = """import numpy as np
from test_utils import single_test, multiple_test

def initialize_parameters_zeros_test(target):
    expected = {'W1': np.zeros((2, 3)), 'b1': np.zeros((2, 1)),
                'W2': np.zeros((1, 2)), 'b2': np.zeros((1, 1))}
    cases = [{"name": name, "input": [[3, 2, 1]], "expected": expected,
              "error": "wrong"}
             for name in ("datatype_check", "shape_check", "equation_output_check")]
    multiple_test(cases, target)
    print("own public_tests")
"""

OWN_TESTING_UTILS = """import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Conv2D
from termcolor import colored

def multiple_test(cases, target):
    for case in cases:
        target(*case["input"])
    print("own dlai_tools")

single_test = multiple_test
"""


def own_modules_first():
    _, content, _ = newer_of_2021()
    cells = copy.deepcopy(content["cells"])
    for cell in cells:
        if "".join(cell["source"]).count("random_test(") or "".join(
            cell["source"]
        ).count("he_test("):
            cell["source"] = cell["source"][:-1]
    content["cells"] = cells
    companions = {
        "init_utils.py": OWN_INIT_UTILS,
        "public_tests.py": OWN_PUBLIC_TESTS.replace(
            "test_utils", "dlai_tools.testing_utils"
        ),
        "dlai_tools/testing_utils.py": OWN_TESTING_UTILS,
    }
    return "own.ipynb", content, companions


def own_tests_with_our_utils():
    name, content, _ = own_modules_first()
    return name, content, {"public_tests.py": OWN_PUBLIC_TESTS}


def lib_init_utils():
    cells = [cell.replace("init_utils", "lib_init_utils") for cell in cells_2017()]
    return "lib.ipynb", notebook(cells), {}


NAMES = {
    "es": ("inicializar_parametros", "Coste tras la iteración {}: {}", "Precisión"),
    "vi": ("khoi_tao_tham_so", "Chi phí sau vòng lặp {}: {}", "Độ chính xác"),
    "ko": ("매개변수_초기화", "반복 {} 이후 비용: {}", "정확도"),
    "pt": ("inicializa_parametros", "Custo após a iteração {}: {}", "Acurácia"),
}


def translated(language):
    function, cost, accuracy = NAMES[language]

    def form():
        cells = [
            cell.replace("initialize_parameters", function)
            .replace("Cost after iteration {}: {}", cost)
            .replace("def model", "# " + accuracy + "\ndef model")
            for cell in cells_2017()
        ]
        return f"{accuracy}.ipynb", notebook(cells), {}

    return form


def chinese_of_all_three_lessons():
    """One notebook of three lessons, which calls modules by their names."""
    cells = [
        "import numpy as np\nimport matplotlib.pyplot as plt\n"
        "import init_utils   # 第一部分，初始化\n"  # noqa: RUF001
        "import reg_utils    # 第二部分，正则化\n"  # noqa: RUF001
        "import gc_utils     # 第三部分，梯度校验\n"  # noqa: RUF001
        "%matplotlib inline\n"
        "train_X, train_Y, test_X, test_Y = init_utils.load_dataset(is_plot=True)\n",
        MODEL.replace('"Cost after iteration {}: {}".format(i, cost)', "LINE")
        .replace("LINE", '"第" + str(i) + "次迭代，成本值为：" + str(cost)')  # noqa: RUF001
        .replace("forward_propagation(X, p", "init_utils.forward_propagation(X, p")
        .replace("compute_loss", "init_utils.compute_loss")
        .replace("backward_propagation(X, Y", "init_utils.backward_propagation(X, Y")
        .replace("update_parameters(", "init_utils.update_parameters("),
    ]
    for kind in ("zeros", "random", "he"):
        cells += [
            initializer(kind),
            training(kind).replace("predict(", "init_utils.predict("),
            BOUNDARY.replace("plot_dec", "init_utils.plot_dec").replace(
                ": predict_dec", ": init_utils.predict_dec"
            ),
        ]
    cells += [
        "train_X, train_Y, test_X, test_Y = reg_utils.load_2D_dataset(is_plot=True)\n"
        "p = reg_utils.initialize_parameters([train_X.shape[0], 20, 3, 1])\n"
        "a3, cache = reg_utils.forward_propagation(train_X, p)\n"
        "print(reg_utils.compute_loss(a3, train_Y) > 0)",
        "print(gc_utils.sigmoid(np.array([0.0])))",
    ]
    return "初始化 正则化.ipynb", notebook(cells), {}


OWN_MOONS = """def load_moons():
    np.random.seed(1)
    train_X, train_Y = sklearn.datasets.make_moons(n_samples=300, noise=.05)
    np.random.seed(2)
    test_X, test_Y = sklearn.datasets.make_moons(n_samples=100, noise=.05)
    train_Y = train_Y.reshape((1, train_Y.shape[0]))
    return train_X.T, train_Y, test_X.T, test_Y.reshape((1, test_Y.shape[0]))
train_X, train_Y, test_X, test_Y = load_moons()
"""


def moons():
    cells = cells_2017()
    cells[0] = cells[0].replace(
        "train_X, train_Y, test_X, test_Y = load_dataset()\n", OWN_MOONS
    )
    return "moons.ipynb", notebook(cells), {}


def blog_with_plots_in_loops():
    cells = [
        "import numpy as np\nimport matplotlib.pyplot as plt\n%matplotlib notebook",
        "def sigmoid(x): return 1 / (1 + np.exp(-x))\n"
        "def relu(x): return np.maximum(0, x)\n"
        "for name, f in (('sigmoid', sigmoid), ('relu', relu), ('tanh', np.tanh)):\n"
        "    for std in (1, 0.01, np.sqrt(1 / 100), np.sqrt(2 / 100)):\n"
        "        x = np.random.randn(1000, 100)\n"
        "        for layer in range(5):\n"
        "            x = f(np.dot(x, np.random.randn(100, 100) * std))\n"
        "            plt.subplot(1, 5, layer + 1)\n"
        "            plt.hist(x.flatten(), 30, range=(0, 1))\n"
        "        plt.show()",
    ]
    return "blog.ipynb", notebook(cells, kernel="conda-env-deep-py"), {}


def python_2():
    cells = cells_2017()
    cells[0] += "reload(sklearn)\n"
    cells[1] = (
        cells[1]
        .replace("range(0, num", "xrange(0, num")
        .replace(
            'print("Cost after iteration {}: {}".format(i, cost))',
            'print "Cost after iteration %i: %r" % (i, float(cost))',
        )
    )
    cells = [cell.replace('print ("On the', 'print "On the') for cell in cells]
    cells = [cell.replace('set:")', 'set:"') for cell in cells]
    return "python2.ipynb", notebook(cells, kernel="python2"), {}


def format_3():
    cells = [
        {
            "cell_type": "code",
            "collapsed": False,
            "input": source.splitlines(keepends=True),
            "language": "python",
            "metadata": {},
            "outputs": [
                {"output_type": "pyout", "prompt_number": 1, "text": ["1"]},
                {"output_type": "stream", "stream": "stdout", "text": ["old\n"]},
            ],
            "prompt_number": 3,
        }
        for source in cells_2017()
    ]
    heading = {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Lesson"]}
    content = {
        "metadata": {"name": "old", "signature": "sha256:0"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": [heading, *cells], "metadata": {}}],
    }
    return "three.ipynb", content, {}


def nothing_but_cells():
    content = notebook(cells_2017(), kernel="")
    del content["metadata"], content["nbformat"], content["nbformat_minor"]
    for cell in content["cells"]:
        for key in ("metadata", "execution_count", "outputs"):
            cell.pop(key, None)
    return "bare.ipynb", content, {}


def stored_traceback():
    content = notebook(cells_2017(), minor=5)
    for cell in content["cells"]:
        cell["id"] = "same"
    content["cells"][2]["outputs"] = [
        {"output_type": "error", "ename": "NameError", "evalue": "old"},
        {"output_type": "stream", "text": "no name\n"},
        {"output_type": "display_data"},
    ]
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    return "traceback.ipynb", content, {}


def with_stored_costs(costs):
    """A notebook that stores printed costs of He's training."""
    _, content, _ = english_of_2017()
    cell = next(c for c in content["cells"] if '"he")' in "".join(c["source"])[:80])
    text = "".join(
        f"Cost after iteration {1000 * i}: {cost}\n" for i, cost in enumerate(costs)
    )
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    return content


def marked_for_grading():
    content = notebook(cells_2017())
    content["metadata"]["celltoolbar"] = "Create Assignment"
    for number, cell in enumerate(content["cells"]):
        cell["metadata"] = {
            "nbgrader": {"grade": False, "grade_id": f"c{number}", "solution": True},
            "otter": {"tests": ["q1"]},
        }
    raw = {"cell_type": "raw", "metadata": {}, "source": "raw"}
    picture = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "![a](attachment:a.png)",
        "attachments": {"a.png": {"image/png": "iVBORw0KGgo="}},
    }
    content["cells"] += [raw, picture, {**content["cells"][1], "source": ""}]
    return "graded.ipynb", content, {}


def strange_paths():
    return "مفكرة 🧪 тетрадь.ipynb", notebook(cells_2017()), {}


def exported_script():
    text = "#!/usr/bin/env python\n# coding: utf-8\n\n"
    for number, cell in enumerate(cells_2017()):
        cell = cell.replace(
            "%matplotlib inline",
            "get_ipython().run_line_magic('matplotlib', 'inline')",
        )
        text += f"# In[{number + 1}]:\n\n\n{cell}\n\n"
    return "Initialization.py", text, {}


def percent_script():
    cells = [cell.replace("%matplotlib inline\n", "") for cell in cells_2017()]
    return "cells.py", "\n".join(f"# %%\n{cell}" for cell in cells), {}


def plain_script():
    cells = [cell.replace("%matplotlib inline\n", "") for cell in cells_2017()]
    calls = [cell for cell in cells if not cell.startswith(("def ", "import "))]
    defined = [cell for cell in cells if cell.startswith(("def ", "import "))]
    main = "".join(f"    {line}\n" for cell in calls for line in cell.splitlines())
    text = "\n".join(defined) + '\n\nif __name__ == "__main__":\n' + main
    return "plain script.py", text, {}


REGULARIZATION = [
    "import numpy as np\nimport matplotlib.pyplot as plt\n"
    "from reg_utils import sigmoid, relu, plot_decision_boundary\n"
    "from reg_utils import initialize_parameters, load_2D_dataset, predict_dec\n"
    "from reg_utils import compute_cost, predict, forward_propagation\n"
    "from reg_utils import backward_propagation, update_parameters\n"
    "import sklearn\nimport sklearn.datasets\nimport scipy.io\n"
    "from testCases import *\n%matplotlib inline\n"
    "train_X, train_Y, test_X, test_Y = load_2D_dataset()",
    "def compute_cost_with_regularization(A3, Y, parameters, lambd):\n"
    "    m = Y.shape[1]\n"
    "    squares = sum(np.sum(np.square(parameters['W%d' % n])) for n in (1, 2, 3))\n"
    "    return compute_cost(A3, Y) + lambd / (2. * m) * squares\n"
    "A3, Y_assess, p = compute_cost_with_regularization_test_case()\n"
    "print('cost = ' + str(compute_cost_with_regularization(A3, Y_assess, p, 0.1)))",
    "p = initialize_parameters([train_X.shape[0], 20, 3, 1])\n"
    "for i in range(300):\n"
    "    a3, cache = forward_propagation(train_X, p)\n"
    "    p = update_parameters(p, backward_propagation(train_X, train_Y, cache), 0.3)\n"
    "predictions = predict(train_X, train_Y, p)\n"
    "plot_decision_boundary(lambda x: predict_dec(p, x.T), train_X, train_Y)",
]


def regularization():
    return "Regularization.ipynb", notebook(REGULARIZATION), {}


def regularization_of_2021():
    test = (
        "from public_tests import *\n"
        "compute_cost_with_regularization_test(compute_cost_with_regularization)"
    )
    return "Regularization.ipynb", notebook([*REGULARIZATION, test]), {}


def gradient_checking():
    cells = [
        "import numpy as np\nfrom testCases import *\n"
        "from gc_utils import sigmoid, relu, dictionary_to_vector\n"
        "from gc_utils import vector_to_dictionary, gradients_to_vector",
        "X, Y, parameters = gradient_check_n_test_case()\n"
        "vector, keys = dictionary_to_vector(parameters)\n"
        "again = vector_to_dictionary(vector)\n"
        "assert all((again[name] == parameters[name]).all() for name in parameters)\n"
        "grads = {'d' + name: value for name, value in parameters.items()}\n"
        "assert (gradients_to_vector(grads) == vector).all()\n"
        "print(vector.shape)",
    ]
    return "Gradient Checking.ipynb", notebook(cells), {}


# Of the lesson Initialization: all three trainings are printed.
LESSONS = {
    "2017": english_of_2017,
    "2021": newer_of_2021,
    "own modules": own_modules_first,
    "own tests": own_tests_with_our_utils,
    "lib_init_utils": lib_init_utils,
    "chinese": chinese_of_all_three_lessons,
    "spanish": translated("es"),
    "vietnamese": translated("vi"),
    "korean": translated("ko"),
    "portuguese": translated("pt"),
    "moons": moons,
    "python2": python_2,
    "format 3": format_3,
    "bare": nothing_but_cells,
    "stored traceback": stored_traceback,
    "graded": marked_for_grading,
    "strange paths": strange_paths,
    "exported script": exported_script,
    "percent script": percent_script,
    "plain script": plain_script,
}
OTHERS = {
    "blog": blog_with_plots_in_loops,
    "regularization": regularization,
    "regularization 2021": regularization_of_2021,
    "gradient checking": gradient_checking,
}


def write(form, folder):
    """Write a form's files into a folder of a strange name; return the notebook."""
    place = folder / "un dossier — 文件夹"
    place.mkdir()
    name, content, companions = form()
    for relative, text in companions.items():
        path = place / relative
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    path = place / name
    if isinstance(content, dict):
        content = json.dumps(content, ensure_ascii=False)
    path.write_text(content, encoding="utf-8")
    return path


def text_of(path):
    """Return all that an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [each for cell in cells for each in cell.get("outputs", ())]
    return "".join(each.get("text", "") for each in outputs)
