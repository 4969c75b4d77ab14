#%% md 703e238e
# Every claim, measured

People say many things about autoencoders. This page takes what they say, word by word, and measures it. Does it hold, when, and by how much?

#%% code claims-read HIDE
import pandas
import yaml
from myst_nb import glue

from aebook import charts, claims

said = yaml.safe_load(open("../claims.yml", encoding="utf-8"))
tables = ("models", "few_images", "outputs", "longer", "widths")
trainings = pandas.concat(
    pandas.read_csv(f"../results/{name}.csv") for name in tables
)
uses = pandas.read_csv("../results/uses.csv")
cases = claims.read_cases(said, trainings, uses)
decided = claims.decide(cases)
print(f"{len(trainings)} trainings, {len(decided)} cases of {len(said)} claims")

#%% code claims-answer HIDE
def of(claim):
    """The cases of a claim."""
    return decided[decided["claim"] == claim]


def answer(claim, says):
    """Stop the page where the cases of a claim say something else."""
    found = claims.verdict(of(claim)["side"])
    if found != says:
        raise AssertionError(f"{claim}: the page says {says!r}, the cases {found!r}")
    print(f"{claim}: {says}; {claims.count(of(claim)['side'])}")


for claim in said:
    sides = list(of(claim)["side"])
    glue(f"{claim}_for", sides.count("for"), display=False)
    glue(f"{claim}_cases", len(sides), display=False)
    for number, effect in enumerate(of(claim)["effect"], 1):
        glue(f"{claim}_{number}", float(effect), display=False)

#%% code claims-fig-six
#| name: fig-six
#| caption: Six claims. Each dot is one case; left of the line it speaks for the claim.
#| alt: TODO
six = {
    "1  more than PCA": of("more_than_pca"),
    "2  convolution has less error": of("better"),
    "3  removes noise": of("denoising"),
    "4  compresses": of("compression"),
    "5  shows classes on a plane": of("plane"),
    "6  finds strangers": of("strangers"),
}
charts.strips(six)

#%% md claims-six
(six-answers)=
1. TODO **An autoencoder is more than PCA …** ({glue:text}`more_than_pca_for` of {glue:text}`more_than_pca_cases` cases; {ref}`more <claim-pca>`, {ref}`all numbers <ledger-cases>`.)

#%% md claims-how
(claims-rule)=
## How we judge

Two models are compared seed by seed. Each of ten seeds trains both anew, and measures both on its own tenth of the test images. So the ten quotients of {numref}`fig-rule` differ in all that is left to chance: the training, and the images. Below 1, a quotient speaks for the claim.

#%% code claims-fig-rule
#| name: fig-rule
#| caption: One case, seed by seed. The bar is the 95 % confidence interval of their mean; the gray band is less than 2 %.
#| alt: TODO
charts.case(cases[2])

#%% md claims-rule-2
- A case is **for** or **against** a claim if a t-test on its ten quotients says so.
- On a page with so many cases, chance alone would find something. So the tests are made stricter together {cite}`holm1979`. If no difference were true, only one such page in twenty would have even one wrong *for* or *against*.
- Less than 2 % is **no difference** that matters, if a test can show that it is less.
- All else stays **open**.

A claim *holds* if all its cases are for it. It *holds in part* if some are.

The rule and the cases were written down before the trainings began. Each kind of model got the same four learning rates and three seeds; the best rate was chosen on held-out training images. Each starts so that its ReLUs live. The best epoch is kept. No training was left out, and errors are counted above the lowest possible one. {doc}`ledger` has every number.

#%% md claim-pca-md
(claim-pca)=
## More than PCA?

> AE는 … 데이터 구성이 복잡하거나 데이터가 대량인 경우에 주성분 분석 방법보다 더 효과적이다.
>
> An autoencoder is more effective than principal component analysis where the data is complex or plenty. (The source, 6.1)

TODO {numref}`fig-claim-pca`

#%% code claim-pca-fig
#| name: fig-claim-pca
#| caption: Squared error of an autoencoder, divided by that of PCA with as many numbers.
#| alt: TODO
answer("more_than_pca", "TODO")
charts.effects(of("more_than_pca"), "MSE of the autoencoder ÷ MSE of PCA")

#%% md claim-pca-held
*Held equal:* the code size, the images, and PCA's own measure, the squared error. *What would change our mind:* a model that learns from 500 images and beats PCA.

#%% md claim-complex-md
(claim-complex)=
## The more complex, the larger the lead?

> The more complex the data, the larger the lead over PCA. (A common reading of that sentence)

TODO {numref}`fig-claim-complex`

#%% code claim-complex-fig
#| name: fig-claim-complex
#| caption: The quotient of the dense model and PCA on Fashion-MNIST, divided by that on MNIST.
#| alt: TODO
answer("more_on_complex", "TODO")
charts.effects(of("more_on_complex"), "(dense ÷ PCA on Fashion-MNIST) ÷ (dense ÷ PCA on MNIST)")

#%% md claim-complex-held
*Held equal:* all but the data. *What would change our mind:* a third data set, more complex than both, where the lead is larger.

#%% md claim-sharper-md
(claim-sharper)=
## Is convolution sharper?

> 완전 연결 계층 시각화 결과와 비교해보면 결과 이미지가 더 선명해졌음을 알 수 있다.
>
> Compared with the result of the fully connected layers, the image has become sharper. (The source, 6.3.4)

TODO {numref}`fig-claim-sharper`

#%% code claim-sharper-fig
#| name: fig-claim-sharper
#| caption: Blur of a convolutional autoencoder, divided by that of the dense one.
#| alt: TODO
answer("sharper", "TODO")
charts.effects(of("sharper"), "blur of the convolutional ÷ blur of the dense model")

#%% md claim-sharper-held
*Held equal:* the code size, the images and the epochs. *What would change our mind:* a measure of sharpness that also knows where an edge belongs, and says otherwise.

#%% md claim-better-md
(claim-better)=
## Does convolution have less error?

> CNN은 … 특히 이미지의 복잡도가 높은 경우 완전 연결 계층으로 처리한 결과와 대비하여 더 우수한 성능을 보인다.
>
> A CNN performs better than fully connected layers, above all where the images are complex. (The source, 6.3.4)

TODO {numref}`fig-claim-better`

#%% code claim-better-fig
#| name: fig-claim-better
#| caption: Error of a convolutional autoencoder above the floor, divided by that of the dense one.
#| alt: TODO
answer("better", "TODO")
charts.effects(of("better"), "error of the convolutional ÷ error of the dense model")

#%% md claim-better-held
*Held equal:* the code size, the images, the epochs; for the model with a dense code also the order of its weights. *What would change our mind:* larger images, or a deeper convolutional model that wins at the same code size.

#%% md claim-time-md
(claim-time)=
## And in the same time?

> In practical settings, autoencoders applied to images are always convolutional: they simply perform much better. (The Keras blog {cite}`chollet2016building`)

TODO {numref}`fig-claim-time`

#%% code claim-time-fig
#| name: fig-claim-time
#| caption: The same, where the dense model may train four times as long.
#| alt: TODO
answer("better_in_time", "TODO")
charts.effects(of("better_in_time"), "error of the convolutional ÷ error of the dense model")

#%% md claim-time-held
*Held equal:* about the time: with four times the epochs the dense model is still the first to end. *What would change our mind:* a graphics card, where a convolution costs little.

#%% md claim-shift-md
(claim-shift)=
## Does convolution cope with shifts?

> 이미지 내에서 특징점 위치가 달라질 때도 효과적으로 대응할 수 있기 때문이다.
>
> It copes well when features change their place in the image, too. (The source, 6.3)

TODO {numref}`fig-claim-shift`

#%% code claim-shift-fig
#| name: fig-claim-shift
#| caption: How much the error rises when the test images move, divided by that of the dense model.
#| alt: TODO
answer("shifts", "TODO")
charts.effects(of("shifts"), "rise of the convolutional ÷ rise of the dense model")

#%% md claim-shift-held
*Held equal:* the code size, and that no model has seen a moved image. *What would change our mind:* a dense model that was trained on moved images, too.

#%% md claim-easy-md
(claim-easy)=
## Do fewer weights train more easily?

> 사용되는 가중치 수가 줄어 학습 최적화에도 용이하다.
>
> Fewer weights are used, which makes the training easier, too. (The source, 6.3)

TODO {numref}`fig-claim-easy`

#%% code claim-easy-fig
#| name: fig-claim-easy
#| caption: Epochs until the error on held-out images is within 5 % of its least, the floor taken off.
#| alt: TODO
answer("fewer_weights", "TODO")
charts.effects(of("fewer_weights"), "epochs of the smaller ÷ epochs of the larger model")

#%% md claim-easy-held
*Held equal:* in the first two rows the architecture: only the number of units differs. *What would change our mind:* another sense of *easy* in which the smaller model wins.

#%% md claim-depth-md
(claim-depth)=
## Does depth help?

> … a train and validation loss … a bit better than our previous models. (The Keras blog on its deep autoencoder {cite}`chollet2016building`)

TODO {numref}`fig-claim-depth`

#%% code claim-depth-fig
#| name: fig-claim-depth
#| caption: Error of the deep model above the floor, divided by that of the dense one.
#| alt: TODO
answer("depth", "TODO")
charts.effects(of("depth"), "error of the deep ÷ error of the dense model")

#%% md claim-depth-held
*Held equal:* the code size, and the code without ReLU. *What would change our mind:* a dense model with one layer that does as well.

#%% md claim-output-md
(claim-output)=
## Sigmoid for black and white?

> 입력 이미지의 특성을 반영하기 위해서 … MNIST 이미지는 완전 흰색 또는 완전 검은색에 가까운 색으로 구성되어 있기 때문이다.
>
> The output is a sigmoid because the images of MNIST are nearly all white or black. (The source, 6.2.1)

TODO {numref}`fig-claim-output`

#%% code claim-output-fig
#| name: fig-claim-output
#| caption: Squared error with a sigmoid output, divided by that with a linear one; MNIST.
#| alt: TODO
answer("sigmoid_for_black", "TODO")
charts.effects(of("sigmoid_for_black"), "MSE with a sigmoid ÷ MSE with a linear output")

#%% md claim-output-held
*Held equal:* all but the output and, in the first row, the loss. *What would change our mind:* a linear output with a better recipe.

#%% md claim-gray-md
(claim-gray)=
## Linear for gray?

> 만약 픽셀들이 흰색과 검은색 사이의 회색으로 골고루 분포하는 경우에는 출력 계층의 활성화 함수로 선형 함수가 더 적합하다.
>
> If the pixels are spread over the grays between white and black, a linear function suits the output better. (The source, 6.2.1)

TODO {numref}`fig-claim-gray`

#%% code claim-gray-fig
#| name: fig-claim-gray
#| caption: Squared error with a linear output, divided by that with the best sigmoid; Fashion-MNIST.
#| alt: TODO
answer("linear_for_gray", "TODO")
charts.effects(of("linear_for_gray"), "MSE with a linear output ÷ MSE with a sigmoid")

#%% md claim-gray-held
*Held equal:* all but the output and the loss. *What would change our mind:* a data set with values outside 0 to 1.

#%% md claim-noise-md
(claim-noise)=
## Does the bottleneck remove noise?

> AE의 출력 데이터는 입력한 데이터에 비해 정보의 차원이 줄기 때문에 잡음을 제거하는 용도로도 사용할 수 있다.
>
> The output of an autoencoder has fewer dimensions of information than its input, so it can be used to remove noise, too. (The source, introduction)

TODO {numref}`fig-claim-noise`

#%% code claim-noise-fig
#| name: fig-claim-noise
#| caption: Squared error after a plain autoencoder, divided by that of the noisy image, and of the best simple method.
#| alt: TODO
answer("bottleneck", "TODO")
charts.effects(of("bottleneck"), "MSE after the autoencoder ÷ MSE of the other")

#%% md claim-noise-held
*Held equal:* the noise, drawn once for all methods. *What would change our mind:* another kind of noise.

#%% md claim-denoising-md
(claim-denoising)=
## And if it is trained for it?

> An autoencoder that is trained for it removes noise. (The idea of {cite}`vincent2008denoising`, as most courses tell it)

TODO {numref}`fig-claim-denoising`

#%% code claim-denoising-fig
#| name: fig-claim-denoising
#| caption: Squared error after a denoising autoencoder, divided by that of the best simple method.
#| alt: TODO
answer("denoising", "TODO")
charts.effects(of("denoising"), "MSE after the autoencoder ÷ MSE of the best other")

#%% md claim-denoising-held
*Held equal:* the noise; every method may learn from the same pairs of images. *What would change our mind:* a deeper denoiser.

#%% md claim-compress-md
(claim-compress)=
## Does it compress?

> 주로 활용되는 곳은 데이터 압축 …
>
> It is mainly used to compress data … (The source, 6.1)

TODO {numref}`fig-claim-compress`

#%% code claim-compress-fig
#| name: fig-claim-compress
#| caption: Bits of a code, divided by those that PCA and the best codec need for the same PSNR; the decoder is not counted.
#| alt: TODO
answer("compression", "TODO")
charts.effects(of("compression"), "bits of the code ÷ bits of the other")

#%% md claim-compress-held
*Held equal:* the PSNR, at every step of the rounding. *What would change our mind:* a codec that was made for images as small as these.

#%% md claim-plane-md
(claim-plane)=
## Does it show relations on a plane?

> 저차원화를 통한 데이터 관계 관찰
>
> It shows how data is related, in few dimensions. (The source, 6.1; {cite}`hinton2006reducing` say *much better than PCA*)

TODO {numref}`fig-claim-plane`

#%% code claim-plane-fig
#| name: fig-claim-plane
#| caption: Wrong votes of the neighbors on a plane, divided by those with PCA.
#| alt: TODO
answer("plane", "TODO")
charts.effects(of("plane"), "wrong votes on the plane ÷ wrong votes with PCA")

#%% md claim-plane-held
*Held equal:* two numbers, and the ten neighbors that vote. *What would change our mind:* a dense model with two numbers and no ReLU.

#%% md claim-classify-md
(claim-classify)=
## Do codes help when labels are few?

> 이후는 이 줄어든 부호로 정보 전달 또는 데이터 분류 등의 처리가 가능해진다.
>
> With this shorter code one can then pass on information, or classify the data. (The source, 6.1)

TODO {numref}`fig-claim-classify`

#%% code claim-classify-fig
#| name: fig-claim-classify
#| caption: Wrong answers of a linear classifier on codes, divided by those on the best other input.
#| alt: TODO
answer("labels", "TODO")
charts.effects(of("labels"), "wrong with codes ÷ wrong with the best other input")

#%% md claim-classify-held
*Held equal:* the classifier, its tuning, and the labels. *What would change our mind:* codes of a model that saw many more images.

#%% md claim-unknown-md
(claim-unknown)=
## Does a large error show a stranger?

> If the reconstruction error is above a threshold, the image is an anomaly. (Most courses)

TODO {numref}`fig-claim-unknown`

#%% code claim-unknown-fig
#| name: fig-claim-unknown
#| caption: One minus the area under the ROC curve, divided by that of the best other score.
#| alt: TODO
answer("strangers", "TODO")
charts.effects(of("strangers"), "1 − AUC of the autoencoder ÷ 1 − AUC of the best other")

#%% md claim-unknown-held
*Held equal:* the images, known and unknown. *What would change our mind:* a model whose errors on both kinds lie further apart.

#%% md claims-before
(claims-before)=
## What this page said before

TODO
